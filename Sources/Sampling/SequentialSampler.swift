import Kernels
import Model
import Orders
import Tensors

/// Generates pixels one after the other in an order, each from the network's distribution given those before it.
///
/// The plain algorithm: one forward pass of the whole network for each generated pixel. It serves any order and any set
/// of observed pixels, and is what faster samplers are compared with.
public struct SequentialSampler {
  private let network: AutoregressiveNetwork
  private let pool: ThreadPool
  private let workspace: NetworkWorkspace
  private let sampler: PixelSampler

  /// A sampler of up to `images` images of `size` at a time.
  public init(network: AutoregressiveNetwork, size: ImageSize, images: Int, pool: ThreadPool) {
    self.network = network
    self.pool = pool
    workspace = NetworkWorkspace(network: network, size: size, images: images, retaining: .nothing)
    sampler = PixelSampler(
      distribution: network.configuration.distribution, channels: network.configuration.channels)
  }

  /// Replaces the pixels in `missing` of each image of `levels` `[images, pixels, channels]` by samples.
  ///
  /// The other pixels come first in the order, so that every sample conditions on all of them. `firstImage` numbers the
  /// images' random streams: the same seed, number and order give the same pixels whatever else is sampled beside them.
  /// `shouldContinue` is told how many pixels are done and ends the work by saying no.
  ///
  /// - Returns: whether all pixels were generated.
  public func complete(
    levels: inout [UInt8], missing: Set<Int>, order: GenerationOrder, parameters: FloatBuffer, temperature: Double,
    seed: UInt64, firstImage: Int = 0, shouldContinue: (_ done: Int) -> Bool = { _ in true }
  ) -> Bool {
    let pixels = order.size.pixels
    let channels = network.configuration.channels
    let images = levels.count / (pixels * channels)
    precondition(levels.count == images * pixels * channels, "SequentialSampler: \(levels.count) levels")
    let observed = Set(0..<pixels).subtracting(missing)
    let plan = OrderPlan(order: order.observedFirst(observed), windows: network.windows)
    for image in 0..<images {
      for pixel in missing {
        for channel in 0..<channels { levels[(image * pixels + pixel) * channels + channel] = 0 }
      }
    }
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    var pixelLevels = [UInt8](repeating: 0, count: channels)
    for (done, pixel) in plan.order.pixels.dropFirst(observed.count).map(Int.init).enumerated() {
      guard shouldContinue(done) else { return false }
      workspace.prepareInput(levels: levels, images: images)
      network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool)
      for image in 0..<images {
        var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: firstImage + image, slot: pixel)
        sampler.sample(
          logits: workspace.logits, row: image * pixels + pixel, temperature: temperature, generator: &generator,
          into: &pixelLevels)
        for channel in 0..<channels { levels[(image * pixels + pixel) * channels + channel] = pixelLevels[channel] }
      }
    }
    return true
  }
}
