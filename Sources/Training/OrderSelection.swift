import Configuration
import Evaluation
import Model
import Orders
import Tensors

/// The generation orders of a run: which there are, and which each microbatch takes.
public struct OrderSelection: Sendable {
  /// Orders to draw from in training; empty when each draw is a new permutation.
  public let train: [NamedOrder]
  /// Orders that the tested ensemble averages over.
  public let test: [NamedOrder]
  private let size: ImageSize
  private let interval: RunConfiguration.OrderInterval
  private let seed: UInt64

  /// The orders of `configuration` for images of `size`.
  ///
  /// - Throws: when a base order does not exist for this size, or a file is not an order of it.
  public init(_ configuration: RunConfiguration, size: ImageSize) throws {
    self.init(
      configuration, size: size, train: try Self.training(configuration.orders, size: size),
      test: try Self.orders(configuration.orders.test, configuration.orders, size: size))
  }

  private init(_ configuration: RunConfiguration, size: ImageSize, train: [NamedOrder], test: [NamedOrder]) {
    self.train = train
    self.test = test
    self.size = size
    interval = configuration.orders.per
    seed = configuration.seed
  }

  /// The training orders of `configuration` for images of another `size`; those to test with stay as they are.
  ///
  /// - Throws: when a base order does not exist for that size, or a file is not an order of it.
  func training(_ configuration: RunConfiguration, size: ImageSize) throws -> OrderSelection {
    OrderSelection(
      configuration, size: size, train: try Self.training(configuration.orders, size: size), test: test)
  }

  private static func training(_ options: RunConfiguration.OrderOptions, size: ImageSize) throws -> [NamedOrder] {
    switch options.train {
    case .fresh: return []
    case .list(let choices): return try orders(choices, options, size: size)
    }
  }

  /// Which of `train` microbatch `slot` of step `step` takes; nil when it draws a permutation of its own.
  public func trainingIndex(step: Int, slot: Int) -> Int? {
    guard !train.isEmpty else { return nil }
    var generator = KeyedGenerator(seed: seed, purpose: .generationOrder, step: step, slot: drawing(slot))
    return generator.integer(below: train.count)
  }

  /// The order of microbatch `slot` of step `step`.
  public func trainingOrder(step: Int, slot: Int) -> NamedOrder {
    if let index = trainingIndex(step: step, slot: slot) { return train[index] }
    let drawing = drawing(slot)
    return NamedOrder(
      name: "random of step \(step), microbatch \(drawing)",
      order: .fresh(step: step, slot: drawing, seed: seed, size: size))
  }

  /// The microbatch that draws the order of microbatch `slot`.
  private func drawing(_ slot: Int) -> Int { interval == .microbatch ? slot : 0 }

  /// The orders that `choices` name for images of `size`; `options` say what variants are variants of.
  ///
  /// - Throws: when a base order does not exist for this size, or a file is not an order of it.
  public static func orders(
    _ choices: [OrderChoice], _ options: RunConfiguration.OrderOptions, size: ImageSize
  ) throws -> [NamedOrder] {
    try choices.flatMap(\.single).map { choice in
      switch choice {
      case .variant(let variant): return try configured(options, variant: variant, size: size)
      case .base(let base, let variant):
        return NamedOrder(name: "\(choice)", order: try GenerationOrder(base: base, size: size, variant: variant))
      case .random(let index, let seed), .randoms(let index, let seed):
        return NamedOrder(name: "\(choice)", order: .random(index: index, seed: seed, size: size))
      case .file(let path): return NamedOrder(name: path, order: try OrderFile.read(path: path, size: size))
      }
    }
  }

  /// The configured order in `variant`.
  private static func configured(
    _ options: RunConfiguration.OrderOptions, variant: OrderVariant, size: ImageSize
  ) throws -> NamedOrder {
    let flags = OrderVariant(
      transpose: options.transpose, reflectRows: options.reflectRows, reflectColumns: options.reflectColumns)
    guard let file = options.file else {
      return NamedOrder(
        name: "\(options.base.rawValue)/\(variant.rawValue)",
        order: try GenerationOrder(base: options.base, size: size, flags: flags, variant: variant))
    }
    let order = try OrderFile.read(path: file, size: size).transformed(by: flags).transformed(by: variant)
    guard order.size == size else {
      throw OrderSelectionError.transposedRectangle(file: file, variant: variant.rawValue, size: size)
    }
    return NamedOrder(name: "\(file)/\(variant.rawValue)", order: order)
  }
}

/// Why an order cannot be had.
public enum OrderSelectionError: Error, Equatable, CustomStringConvertible {
  /// An order from a file fits one size; transposed, it fits another.
  case transposedRectangle(file: String, variant: Int, size: ImageSize)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .transposedRectangle(let file, let variant, let size):
      return "variant \(variant) transposes the order of \(file), which then does not fit \(size) images; use variants "
        + "0 to 3, or square images"
    }
  }
}
