import Kernels
import Model
import Orders
import Tensors

/// Codes the images of a chunk side by side, pixel by pixel in an order, each pixel under the network's distribution given
/// the pixels before it.
///
/// Encoder and decoder compute the network in the same way, one location at a time (`ActivationCache`), so that they see
/// the same bits; these do not depend on threads or on the images beside an image.
final class ChunkCoder {
  /// Images of a chunk.
  let images: Int
  private let network: LocallyMaskedPixelCNN
  private let parameters: FloatBuffer
  private let plan: LocationPlan
  private let cache: ActivationCache
  private let pool: ThreadPool
  private var pixelCoder: PixelCoder

  /// A coder of chunks of `images` images.
  init(
    network: LocallyMaskedPixelCNN, parameters: FloatBuffer, plan: LocationPlan, images: Int, pool: ThreadPool
  ) {
    self.images = images
    self.network = network
    self.parameters = parameters
    self.plan = plan
    self.pool = pool
    cache = ActivationCache(network: network, size: plan.order.size, images: images)
    pixelCoder = PixelCoder(
      distribution: network.configuration.distribution, channels: network.configuration.channels)
    network.prepare(parameters: parameters, cache: cache, pool: pool)
  }

  /// A chunk as bytes, with what its levels weigh under the model.
  struct Encoded {
    let bytes: [UInt8]
    /// -log p of all images together, in nats.
    let nats: Double
  }

  /// Encodes `levels` `[images, pixels, channels]`; `firstImage` numbers them in messages.
  ///
  /// `observe` is shown the network's outputs for each pixel, `[images, outputs]`. `shouldStop` is asked before each.
  ///
  /// - Throws: `CompressionError.notFinite`, or `ChunkCutOff`.
  func encode(
    _ levels: [UInt8], firstImage: Int, shouldStop: () -> Bool = { false },
    observe: (_ logits: Matrix) -> Void = { _ in }
  ) throws -> Encoded {
    let channels = network.configuration.channels
    let loss = PixelLoss(distribution: network.configuration.distribution, channels: channels)
    let pixelNats = DoubleBuffer(count: images)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    var pixelLevels = [UInt8](repeating: 0, count: images * channels)
    var nats = 0.0
    var unchanged = levels
    var encoder = RangeEncoder()
    try code(&unchanged, firstImage: firstImage, with: &encoder, shouldStop: shouldStop) { pixel in
      for image in 0..<images {
        for channel in 0..<channels {
          pixelLevels[image * channels + channel] = levels[place(image, pixel) + channel]
        }
      }
      loss.evaluate(levels: pixelLevels, logits: cache.logits, nats: pixelNats, scratch: scratch, pool: pool)
      nats += pixelNats.sum(in: 0..<images)
      observe(cache.logits)
    }
    return Encoded(bytes: encoder.finish(), nats: nats)
  }

  /// The levels `[images, pixels, channels]` that `bytes` were made from. `shouldStop` is asked before each pixel.
  ///
  /// - Throws: `RangeDecoderError`, `CompressionError.notFinite`, or `ChunkCutOff`.
  func decode(_ bytes: [UInt8], firstImage: Int, shouldStop: () -> Bool = { false }) throws -> [UInt8] {
    var levels = [UInt8](repeating: 0, count: images * plan.order.size.pixels * network.configuration.channels)
    var decoder = try RangeDecoder(bytes)
    try code(&levels, firstImage: firstImage, with: &decoder, shouldStop: shouldStop) { _ in }
    try decoder.finish()
    return levels
  }

  /// Both directions: `coder` reads `levels`, or writes them.
  private func code(
    _ levels: inout [UInt8], firstImage: Int, with coder: inout some LevelCoder, shouldStop: () -> Bool,
    willCode: (_ pixel: Int) -> Void
  ) throws {
    let channels = network.configuration.channels
    precondition(
      levels.count == images * plan.order.size.pixels * channels, "ChunkCoder: \(levels.count) levels, \(images) images"
    )
    let scale = 2 / Float(network.configuration.distribution.levels - 1)
    for pixel in plan.order.pixels.map(Int.init) {
      guard !shouldStop() else { throw ChunkCutOff() }
      network.forward(at: pixel, parameters: parameters, plan: plan, cache: cache, pool: pool)
      try checkFinite(pixel: pixel, firstImage: firstImage)
      willCode(pixel)
      for image in 0..<images {
        try pixelCoder.code(&levels, at: place(image, pixel), logits: cache.logits, row: image, with: &coder)
      }
      cache.setPixel(pixel, levels: { levels[place($0, pixel) + $1] }, scale: scale)
    }
  }

  private func place(_ image: Int, _ pixel: Int) -> Int {
    (image * plan.order.size.pixels + pixel) * network.configuration.channels
  }

  private func checkFinite(pixel: Int, firstImage: Int) throws(CompressionError) {
    for image in 0..<images {
      for output in 0..<cache.logits.columns where !cache.logits[image, output].isFinite {
        let (row, column) = pixel.quotientAndRemainder(dividingBy: plan.order.size.columns)
        throw .notFinite(image: firstImage + image, row: row, column: column)
      }
    }
  }
}
