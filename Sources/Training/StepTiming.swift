/// How long the parts of a training step take, on the slowest rank.
public struct StepTiming: Encodable, Sendable, Equatable {
  /// Forward and backward of all microbatches of the busiest rank.
  public let computeSeconds: Double
  /// Summing the gradients over all ranks and handing out the parameters. In training most of it hides behind the
  /// backward.
  public let exchangeSeconds: Double
  /// A forward pass, of each image of a microbatch.
  public let forwardSecondsPerImage: Double

  /// Of one step.
  public var stepSeconds: Double { computeSeconds + exchangeSeconds }

  /// Of one evaluation of `images` images under each of `orders` orders by `ranks` ranks.
  public func evaluationSeconds(images: Int, orders: Int, ranks: Int) -> Double {
    Double((images + ranks - 1) / ranks * orders) * forwardSecondsPerImage
  }

  enum CodingKeys: String, CodingKey {
    case computeSeconds = "compute_seconds"
    case exchangeSeconds = "exchange_seconds"
    case forwardSecondsPerImage = "forward_seconds_per_image"
  }

  static func seconds(_ body: () throws -> Void) rethrows -> Double {
    let start = ContinuousClock.now
    try body()
    return start.duration(to: .now) / .seconds(1)
  }
}
