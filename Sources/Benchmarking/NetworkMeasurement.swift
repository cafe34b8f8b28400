/// What was measured of one training step or forward pass.
public struct NetworkMeasurement: Codable, Sendable {
  /// The products of all locally masked convolutions in one direction, on one rank.
  public struct Product: Codable, Sendable {
    /// Floating point operations on unmasked values, in billions.
    public private(set) var billionOperations = 0.0
    /// Time that they took.
    public private(set) var seconds = 0.0
    /// Useful operations a second, in billions.
    public var rate: Double { seconds > 0 ? billionOperations / seconds : 0 }

    mutating func add(operations: Int, seconds: Double) {
      billionOperations += Double(operations) * 1e-9
      self.seconds += seconds
    }

    enum CodingKeys: String, CodingKey {
      case billionOperations = "gflop"
      case seconds
    }
  }

  /// From the common beginning to the end on the slowest rank.
  public let seconds: Double
  /// Images, over all ranks.
  public let images: Int
  /// Seconds of each phase on this rank, by name.
  public let phases: [String: Double]
  /// Products of the locally masked convolutions forward.
  public let forward: Product?
  /// Gradients of their inputs.
  public let inputGradient: Product?
  /// Gradients of their weights and biases.
  public let weightGradient: Product?
  /// Seconds in all of these.
  public let maskedSeconds: Double
  /// Seconds in products of 1x1 layers.
  public let otherProductSeconds: Double
  /// The most memory that all ranks have had resident until now.
  public let peakMemoryBytes: Double

  /// Images a second.
  public var imagesPerSecond: Double { Double(images) / seconds }

  /// Useful operations a second of the locally masked convolutions in all directions, in billions, on this rank.
  public var maskedRate: Double {
    let products = [forward, inputGradient, weightGradient].compactMap(\.self)
    return maskedSeconds > 0 ? products.reduce(0) { $0 + $1.billionOperations } / maskedSeconds : 0
  }

  /// Share of the time that this rank spent outside the products of the locally masked convolutions.
  public var shareOutsideMasked: Double { 1 - maskedSeconds / seconds }

  enum CodingKeys: String, CodingKey {
    case seconds, images, phases, forward
    case inputGradient = "input_gradient"
    case weightGradient = "weight_gradient"
    case maskedSeconds = "masked_seconds"
    case otherProductSeconds = "other_product_seconds"
    case peakMemoryBytes = "peak_memory_bytes"
  }
}
