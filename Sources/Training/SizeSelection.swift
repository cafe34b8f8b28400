import Configuration
import Evaluation
import Orders
import Tensors

/// The sizes of a run's training images: which there are, which each microbatch takes, and the generation orders of each.
public struct SizeSelection: Sendable {
  /// The sizes, as the configuration lists them; that of the images themselves if it lists none.
  public let sizes: [ImageSize]
  /// How likely a microbatch takes each, at least one; their sum is 1.
  public let probabilities: [Double]
  /// The orders of each size.
  private let orders: [OrderSelection]
  private let seed: UInt64

  /// Images as they are, in the orders that `orders` draws.
  package init(_ size: ImageSize, _ orders: OrderSelection) {
    self.init(sizes: [size], probabilities: [1], orders: [orders], seed: 0)
  }

  private init(sizes: [ImageSize], probabilities: [Double], orders: [OrderSelection], seed: UInt64) {
    self.sizes = sizes
    self.probabilities = probabilities
    self.orders = orders
    self.seed = seed
  }

  /// The sizes of `configuration` for images of `size`, whose orders are `orders`.
  ///
  /// - Throws: when images would have to be made larger, or have no sides of one length, or when there is no order of a
  ///   size.
  public init(_ configuration: RunConfiguration, size: ImageSize, orders: OrderSelection) throws {
    let sides = configuration.data.resize
    guard !sides.isEmpty else {
      self.init(size, orders)
      return
    }
    guard size.rows == size.columns else { throw SizeSelectionError.notSquare(size) }
    let sizes = try sides.map { side in
      guard side <= size.rows else { throw SizeSelectionError.enlarged(side: side, size: size) }
      return ImageSize(rows: side, columns: side)
    }
    let given = configuration.data.resizeProbabilities
    self.init(
      sizes: sizes,
      probabilities: given.isEmpty ? sizes.map { _ in 1 / Double(sizes.count) } : given,
      orders: try sizes.map { smaller in
        do { return try orders.training(configuration, size: smaller) } catch let error as GenerationOrderError {
          throw SizeSelectionError.noOrder(side: smaller.rows, error)
        }
      }, seed: configuration.seed)
  }

  /// Whether images are scaled.
  public func scales(_ size: ImageSize) -> Bool { sizes != [size] }

  /// The size with the most pixels.
  public var largest: ImageSize { sizes.max { $0.pixels < $1.pixels } ?? sizes[0] }

  /// Which of `sizes` microbatch `slot` of step `step` takes.
  public func index(step: Int, slot: Int) -> Int {
    guard sizes.count > 1 else { return 0 }
    var generator = KeyedGenerator(seed: seed, purpose: .imageSize, step: step, slot: slot)
    let drawn = generator.uniformDouble()
    var sum = 0.0
    for index in probabilities.indices {
      sum += probabilities[index]
      if drawn < sum { return index }
    }
    // The sum of the probabilities may be below 1 by a rounding.
    return sizes.count - 1
  }

  /// The size that microbatch `slot` of step `step` takes.
  public func size(step: Int, slot: Int) -> ImageSize { sizes[index(step: step, slot: slot)] }

  /// The orders of images of `sizes[index]`.
  public func orders(at index: Int) -> OrderSelection { orders[index] }

  /// The order of microbatch `slot` of step `step`.
  public func trainingOrder(step: Int, slot: Int) -> NamedOrder {
    orders[index(step: step, slot: slot)].trainingOrder(step: step, slot: slot)
  }

  /// Such as `16x16 (30 %), 32x32 (70 %)`.
  public var described: String {
    zip(sizes, probabilities).map { "\($0) (\(TrainingProgress.number(100 * $1, 0)) %)" }.joined(separator: ", ")
  }
}

/// Why training images cannot be scaled.
public enum SizeSelectionError: Error, Equatable, CustomStringConvertible {
  /// The images are no squares.
  case notSquare(ImageSize)
  /// A size is larger than the images.
  case enlarged(side: Int, size: ImageSize)
  /// There is no order of a size.
  case noOrder(side: Int, GenerationOrderError)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notSquare(let size):
      return "'data.resize' makes squares smaller, but the images are \(size); cut them with 'data.size', or set "
        + "'data.resize' to []"
    case .enlarged(let side, let size):
      return "'data.resize' has \(side), but the images are \(size) and are not made larger; leave out what is above "
        + "\(size.rows)"
    case .noOrder(let side, let error): return "'data.resize' has \(side), but \(error)"
    }
  }
}
