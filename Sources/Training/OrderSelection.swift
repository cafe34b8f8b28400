import Configuration
import Evaluation
import Model
import Orders
import Tensors

/// The generation orders of a run: which there are, and which each microbatch takes.
public struct OrderSelection: Sendable {
  /// Orders to train with, by variant.
  public let train: [NamedOrder]
  /// Orders that the tested ensemble averages over.
  public let test: [NamedOrder]
  private let interval: RunConfiguration.OrderInterval
  private let seed: UInt64

  /// The orders of `configuration` for images of `size`.
  ///
  /// - Throws: when the base order does not exist for this size, or its file is not an order of it.
  public init(_ configuration: RunConfiguration, size: ImageSize) throws {
    train = try configuration.orders.train.map { try Self.order(configuration.orders, variant: $0, size: size) }
    test = try configuration.orders.test.map { try Self.order(configuration.orders, variant: $0, size: size) }
    interval = configuration.orders.per
    seed = configuration.seed
  }

  /// Which of `train` microbatch `slot` of step `step` takes.
  public func trainingIndex(step: Int, slot: Int) -> Int {
    var generator = KeyedGenerator(
      seed: seed, purpose: .generationOrder, step: step, slot: interval == .microbatch ? slot : 0)
    return generator.integer(below: train.count)
  }

  /// The order that `options` describe, in variant `index`, for images of `size`.
  ///
  /// - Throws: when the base order does not exist for this size, or its file is not an order of it.
  public static func order(
    _ options: RunConfiguration.OrderOptions, variant index: Int, size: ImageSize
  ) throws -> NamedOrder {
    let flags = OrderVariant(
      transpose: options.transpose, reflectRows: options.reflectRows, reflectColumns: options.reflectColumns)
    guard let variant = OrderVariant(rawValue: index) else { throw OrderSelectionError.unknownVariant(index) }
    guard let file = options.file else {
      return NamedOrder(
        name: "\(options.base.rawValue)/\(index)",
        order: try GenerationOrder(base: options.base, size: size, flags: flags, variant: variant))
    }
    let order = try OrderFile.read(path: file, size: size).transformed(by: flags).transformed(by: variant)
    guard order.size == size else {
      throw OrderSelectionError.transposedRectangle(file: file, variant: index, size: size)
    }
    return NamedOrder(name: "\(file)/\(index)", order: order)
  }
}

/// Why an order cannot be had.
public enum OrderSelectionError: Error, Equatable, CustomStringConvertible {
  /// There are eight variants.
  case unknownVariant(Int)
  /// An order from a file fits one size; transposed, it fits another.
  case transposedRectangle(file: String, variant: Int, size: ImageSize)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .unknownVariant(let index): return "no order variant \(index); variants are 0 to 7"
    case .transposedRectangle(let file, let variant, let size):
      return "variant \(variant) transposes the order of \(file), which then does not fit \(size) images; use variants "
        + "0 to 3, or square images"
    }
  }
}
