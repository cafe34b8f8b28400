/// Why a sequence of pixels is not a generation order.
public enum GenerationOrderError: Error, Equatable, CustomStringConvertible {
  /// The sequence has another number of entries than the image has pixels.
  case wrongLength(size: ImageSize, found: Int)
  /// An entry lies outside the image.
  case outside(size: ImageSize, position: Int, row: Int, column: Int)
  /// A pixel comes twice (so another is missing).
  case repeated(row: Int, column: Int, first: Int, second: Int)

  /// What is wrong, where, and what was expected.
  public var description: String {
    switch self {
    case .wrongLength(let size, let found):
      return "an order of a \(size) image has \(size.pixels) entries, found \(found)"
    case .outside(let size, let position, let row, let column):
      return "entry \(position) is (\(row), \(column)), outside the \(size) image"
    case .repeated(let row, let column, let first, let second):
      return "not a permutation: pixel (\(row), \(column)) is entry \(first) and entry \(second)"
    }
  }
}

/// The order o in which an image's pixels are generated: p(x) = prod_i p(x_o(i) | x_o(1..i-1)) (paper, section 3).
public struct GenerationOrder: Hashable, Sendable {
  /// The image's size.
  public let size: ImageSize
  /// Pixels (row * columns + column) in the order they are generated; a permutation of 0..<size.pixels.
  public let pixels: [Int32]

  /// An order from the pixels' indices in generation order.
  ///
  /// - Throws: when `pixels` is not a permutation of 0..<size.pixels.
  public init(size: ImageSize, pixels: [Int]) throws(GenerationOrderError) {
    guard pixels.count == size.pixels else { throw .wrongLength(size: size, found: pixels.count) }
    var firstPosition = [Int](repeating: -1, count: size.pixels)
    for (position, pixel) in pixels.enumerated() {
      let row = Int((Double(pixel) / Double(size.columns)).rounded(.down))
      let column = pixel - row * size.columns
      guard pixel >= 0 && pixel < size.pixels else {
        throw .outside(size: size, position: position, row: row, column: column)
      }
      guard firstPosition[pixel] < 0 else {
        throw .repeated(row: row, column: column, first: firstPosition[pixel], second: position)
      }
      firstPosition[pixel] = position
    }
    self.size = size
    self.pixels = pixels.map(Int32.init)
  }

  /// `positions[pixel]` is the place of `pixel` in the order: the inverse permutation.
  public var positions: [Int32] {
    var positions = [Int32](repeating: 0, count: pixels.count)
    for (position, pixel) in pixels.enumerated() { positions[Int(pixel)] = Int32(position) }
    return positions
  }
}
