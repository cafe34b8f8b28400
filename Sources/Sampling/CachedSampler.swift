import Kernels
import Model
import Orders
import Tensors

/// One pixel of all images of a batch, when a sampler has come to it.
public struct SampledPixel: Sendable {
  /// row * columns + column.
  public let pixel: Int
  /// Whether it was given, not generated.
  public let isObserved: Bool
  /// `[images, channels]`
  public let levels: [UInt8]
  /// -log p of the pixel given those before it in the order, in nats: `[images]`. The probability is the model's, at
  /// temperature 1.
  public let nats: [Double]
}

/// Generates pixels one after the other in an order, each from the network's distribution given those before it,
/// computing each location of the network once: the pixels of `SequentialSampler` for a fraction of its work.
public struct CachedSampler {
  private let network: AutoregressiveNetwork
  private let pool: ThreadPool
  private let size: ImageSize
  private let cache: LocationCache
  private let sampler: PixelSampler
  private let loss: PixelLoss

  /// A sampler of `images` images of `size` at a time.
  public init(network: AutoregressiveNetwork, size: ImageSize, images: Int, pool: ThreadPool) {
    self.network = network
    self.pool = pool
    self.size = size
    cache = LocationCache(network: network, size: size, images: images)
    sampler = PixelSampler(
      distribution: network.configuration.distribution, channels: network.configuration.channels)
    loss = PixelLoss(distribution: network.configuration.distribution, channels: network.configuration.channels)
  }

  /// Replaces the pixels in `missing` of each image of `levels` `[images, pixels, channels]` by samples.
  ///
  /// The other pixels come first in the order, so that every sample conditions on all of them; the network must take the
  /// order that this makes (`AutoregressiveNetwork.require`). `firstImage` numbers the
  /// images' random streams: the same seed, number and order give the same pixels whatever else is sampled beside them.
  /// `shouldContinue` is told how many pixels are done and ends the work by saying no. `inspect` is shown every pixel,
  /// observed ones first, in the order; the pixels are the same without it.
  ///
  /// - Returns: whether all pixels were generated.
  public func complete(
    levels: inout [UInt8], missing: Set<Int>, order: GenerationOrder, parameters: FloatBuffer, temperature: Double,
    seed: UInt64, firstImage: Int = 0, shouldContinue: (_ done: Int) -> Bool = { _ in true },
    inspect: ((SampledPixel) -> Void)? = nil
  ) -> Bool {
    let pixels = size.pixels
    let channels = network.configuration.channels
    precondition(
      levels.count == cache.images * pixels * channels,
      "CachedSampler: \(levels.count) levels for \(cache.images) images")
    let observed = Set(0..<pixels).subtracting(missing)
    let plan = LocationPlan(order: order.observedFirst(observed), windows: network.windows)
    let scale = 2 / Float(network.configuration.distribution.levels - 1)
    cache.prepare(parameters: parameters, pool: pool)
    var pixelLevels = [UInt8](repeating: 0, count: channels)
    let nats = DoubleBuffer(count: cache.images)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    for (done, pixel) in plan.order.pixels.map(Int.init).enumerated() {
      guard shouldContinue(done) else { return false }
      let isMissing = done >= observed.count
      cache.forward(
        at: pixel, parameters: parameters, plan: plan, wantsLogits: isMissing || inspect != nil, pool: pool)
      if isMissing {
        for image in 0..<cache.images {
          var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: firstImage + image, slot: pixel)
          sampler.sample(
            logits: cache.logits, row: image, temperature: temperature, generator: &generator, into: &pixelLevels)
          for channel in 0..<channels { levels[(image * pixels + pixel) * channels + channel] = pixelLevels[channel] }
        }
      }
      if let inspect {
        var batch: [UInt8] = []
        for image in 0..<cache.images {
          let first = (image * pixels + pixel) * channels
          batch += levels[first..<(first + channels)]
        }
        loss.evaluate(levels: batch, logits: cache.logits, nats: nats, scratch: scratch, pool: pool)
        inspect(
          SampledPixel(
            pixel: pixel, isObserved: !isMissing, levels: batch, nats: (0..<cache.images).map { nats[$0] }))
      }
      cache.setPixel(pixel, levels: { levels[($0 * pixels + pixel) * channels + $1] }, scale: scale)
    }
    return true
  }
}
