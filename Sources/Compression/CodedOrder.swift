import Orders

/// The order in which pixels are coded, as a file holds it: by name, or pixel by pixel.
public enum CodedOrder: Hashable, Sendable {
  /// The order `base`, changed by `flags` and then by `variant`.
  case named(base: BaseOrder, flags: OrderVariant, variant: OrderVariant)
  /// Any permutation: two or four bytes a pixel.
  case listed(GenerationOrder)

  /// The order of a `size` image.
  ///
  /// - Throws: when the named order does not exist on images of that size.
  public func order(of size: ImageSize) throws(GenerationOrderError) -> GenerationOrder {
    switch self {
    case .named(let base, let flags, let variant):
      return try GenerationOrder(base: base, size: size, flags: flags, variant: variant)
    case .listed(let order):
      precondition(order.size == size, "CodedOrder: an order of \(order.size) for \(size)")
      return order
    }
  }

  func write(to writer: inout LittleEndianWriter) {
    switch self {
    case .named(let base, let flags, let variant):
      let name = Array(base.rawValue.utf8)
      writer.write(UInt8(name.count))
      writer.write(name)
      writer.write(UInt8(flags.rawValue))
      writer.write(UInt8(variant.rawValue))
    case .listed(let order):
      // No name is empty.
      writer.write(UInt8(0))
      for pixel in order.pixels {
        if order.size.pixels <= 1 << 16 { writer.write(UInt16(pixel)) } else { writer.write(UInt32(pixel)) }
      }
    }
  }

  /// The order of a `size` image that comes next; nil if it is none.
  static func read(from reader: inout LittleEndianReader, size: ImageSize) -> CodedOrder? {
    guard let nameCount = reader.read(UInt8.self), let name = reader.read(count: Int(nameCount)) else { return nil }
    guard name.isEmpty else {
      guard let base = BaseOrder(rawValue: String(decoding: name, as: UTF8.self)), base.exists(on: size),
        let flags = reader.read(UInt8.self).flatMap({ OrderVariant(rawValue: Int($0)) }),
        let variant = reader.read(UInt8.self).flatMap({ OrderVariant(rawValue: Int($0)) })
      else { return nil }
      return .named(base: base, flags: flags, variant: variant)
    }
    let bytesPerPixel = size.pixels <= 1 << 16 ? 2 : 4
    guard reader.left / bytesPerPixel >= size.pixels else { return nil }
    var pixels: [Int] = []
    for _ in 0..<size.pixels {
      let pixel = bytesPerPixel == 2 ? reader.read(UInt16.self).map(Int.init) : reader.read(UInt32.self).map(Int.init)
      pixels.append(pixel ?? -1)
    }
    do { return .listed(try GenerationOrder(size: size, pixels: pixels)) } catch { return nil }
  }
}
