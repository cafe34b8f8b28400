/// Why there is no such generation order.
public enum GenerationOrderError: Error, Equatable, CustomStringConvertible {
  /// The sequence has another number of entries than the image has pixels.
  case wrongLength(size: ImageSize, found: Int)
  /// An entry lies outside the image.
  case outside(size: ImageSize, position: Int, pixel: Int)
  /// A pixel comes twice (so another is missing).
  case repeated(row: Int, column: Int, first: Int, second: Int)
  /// The Hilbert curve was asked for on an image that is not a square with a power of two as its side.
  case noHilbertCurve(size: ImageSize)

  /// What is wrong, where, and what was expected.
  public var description: String {
    switch self {
    case .wrongLength(let size, let found):
      return "an order of a \(size) image has \(size.pixels) entries, found \(found)"
    case .outside(let size, let position, let pixel):
      return "entry \(position) is pixel \(pixel), outside the \(size) image (pixels 0 to \(size.pixels - 1))"
    case .repeated(let row, let column, let first, let second):
      return "not a permutation: pixel (\(row), \(column)) is entry \(first) and entry \(second)"
    case .noHilbertCurve(let size):
      return "\(BaseOrder.hilbert.rawValue) needs a square image whose side is a power of two, this one is \(size); "
        + "use \(BaseOrder.generalizedHilbert.rawValue), which takes any size"
    }
  }
}

/// The order o in which an image's pixels are generated: p(x) = prod_i p(x_o(i) | x_o(1..i-1)) (paper, section 3).
public struct GenerationOrder: Hashable, Sendable {
  /// The image's size.
  public let size: ImageSize
  /// Pixels (row * columns + column) in the order they are generated; a permutation of 0..<size.pixels.
  public let pixels: [Int32]

  /// An order from the pixels' indices in generation order: for a random order, any random permutation.
  ///
  /// - Throws: when `pixels` is not a permutation of 0..<size.pixels.
  public init(size: ImageSize, pixels: [Int]) throws(GenerationOrderError) {
    guard pixels.count == size.pixels else { throw .wrongLength(size: size, found: pixels.count) }
    var firstPosition = [Int](repeating: -1, count: size.pixels)
    for (position, pixel) in pixels.enumerated() {
      guard pixel >= 0 && pixel < size.pixels else {
        throw .outside(size: size, position: position, pixel: pixel)
      }
      guard firstPosition[pixel] < 0 else {
        let (row, column) = pixel.quotientAndRemainder(dividingBy: size.columns)
        throw .repeated(row: row, column: column, first: firstPosition[pixel], second: position)
      }
      firstPosition[pixel] = position
    }
    self.init(size: size, permutation: pixels.map(Int32.init))
  }

  /// The order `base` of a `size` image, changed by `flags` and then by `variant`.
  ///
  /// `flags` are the symmetries that a configuration applies to its base order once, `variant` is one of the eight that
  /// it trains or evaluates with. Each transposition swaps the sides of the image that the one before it works on, so
  /// any combination is an order of `size`, square or not.
  ///
  /// - Throws: `GenerationOrderError.noHilbertCurve` when `base` is the Hilbert curve and has no order of that size.
  public init(
    base: BaseOrder, size: ImageSize, flags: OrderVariant = .identity, variant: OrderVariant = .identity
  ) throws(GenerationOrderError) {
    guard base.exists(on: size) else { throw .noHilbertCurve(size: size) }
    let flaggedSize = variant.sourceSize(of: size)
    let basePixels = base.pixels(of: flags.sourceSize(of: flaggedSize))
    let pixels = variant.moved(flags.moved(basePixels, to: flaggedSize), to: size)
    self.init(size: size, permutation: pixels.map(Int32.init))
  }

  /// An order from pixels that are known to be a permutation of 0..<size.pixels.
  package init(size: ImageSize, permutation: [Int32]) {
    self.size = size
    pixels = permutation
  }

  /// `positions[pixel]` is the place of `pixel` in the order: the inverse permutation.
  public var positions: [Int32] {
    var positions = [Int32](repeating: 0, count: pixels.count)
    for (position, pixel) in pixels.enumerated() { positions[Int(pixel)] = Int32(position) }
    return positions
  }

  /// This order changed by `variant`; a transposition swaps the sides of the image.
  public func transformed(by variant: OrderVariant) -> GenerationOrder {
    // Source and target size of a variant are the same but for the swap, in either direction.
    let target = variant.sourceSize(of: size)
    return GenerationOrder(
      size: target, permutation: variant.moved(pixels.map(Int.init), to: target).map(Int32.init))
  }

  /// The same order with the pixels of `observed` moved to its front; each part keeps its relative order.
  ///
  /// So every missing pixel of a completion conditions on all observed ones (the paper's maximum context).
  public func observedFirst(_ observed: Set<Int>) -> GenerationOrder {
    size.checkPixels(observed)
    let isObserved = { (pixel: Int32) in observed.contains(Int(pixel)) }
    return GenerationOrder(size: size, permutation: pixels.filter(isObserved) + pixels.filter { !isObserved($0) })
  }
}
