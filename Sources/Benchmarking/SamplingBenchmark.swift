import Collectives
import Kernels
import Model
import Sampling

/// Generation, measured.
extension NetworkBenchmark {
  /// How long generating a batch of whole images took.
  public struct SamplingMeasurement: Codable, Sendable {
    /// Seconds of the slowest rank.
    public let seconds: Double
    /// Images of all ranks.
    public let images: Int
  }

  /// Generates a batch of images from nothing on every rank, each location of the network computed once. The sampler's
  /// memory is made anew, as by the command.
  ///
  /// - Throws: when the order does not exist for this size, or a rank is silent.
  public func sampling(_ order: BenchmarkOrder) throws -> SamplingMeasurement {
    let order = try plan(order).order
    let sampler = CachedSampler(network: network, size: options.size, images: options.batch, pool: pool)
    let pixels = options.size.pixels
    var levels = [UInt8](repeating: 0, count: options.batch * pixels * options.model.channels)
    let seconds = try measured {
      _ = sampler.complete(
        levels: &levels, missing: Set(0..<pixels), order: order, parameters: parameters, temperature: 1, seed: 1)
    }
    return SamplingMeasurement(seconds: seconds, images: communicator.size * options.batch)
  }

  /// Seconds that planning an order of this size takes, whether it was planned before or not: what a run with a new
  /// order for every microbatch does for each.
  ///
  /// - Throws: when the order does not exist for this size, or a rank is silent.
  public func planning(_ order: BenchmarkOrder) throws -> Double {
    let order = try plan(order).order
    return try measured { _ = OrderPlan(order: order, windows: network.windows) }
  }
}
