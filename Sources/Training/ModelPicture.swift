import Collectives
import Imaging
import Kernels
import Sampling
import Tensors

/// A picture of what a model makes.
struct ModelPicture {
  /// What it shows: `samples` or `completions`.
  let name: String
  let image: PNGImage
}

/// Pictures of samples and of completed test images, made by all ranks, each its share: the same bytes on any number of
/// them. Every evaluation takes the same random numbers, so that pictures of different steps compare.
struct ModelPictures {
  private let experiment: Experiment
  private let communicator: any Communicator
  private let pool: ThreadPool

  init(_ experiment: Experiment, communicator: any Communicator, pool: ThreadPool) {
    self.experiment = experiment
    self.communicator = communicator
    self.pool = pool
  }

  /// Draws what the configuration asks for, in the first test order.
  ///
  /// - Returns: nothing when asked to stop on any rank.
  /// - Throws: when a rank is silent.
  func draw(parameters: FloatBuffer, shouldStop: () -> Bool) throws -> [ModelPicture] {
    let monitoring = experiment.configuration.monitoring
    let test = experiment.test
    var pictures: [ModelPicture] = []
    if monitoring.samples > 0 {
      let blank = [UInt8](repeating: 0, count: monitoring.samples * test.valuesPerImage)
      let everything = PixelMask(size: test.size, isMissing: [Bool](repeating: true, count: test.size.pixels))
      guard let levels = try complete(blank, everything, parameters: parameters, shouldStop) else { return [] }
      let images = tiles(levels)
      let columns = max(4, Int(Double(images.count).squareRoot().rounded(.up)))
      let rows = stride(from: 0, to: images.count, by: columns).map {
        Array(images[$0..<min($0 + columns, images.count)])
      }
      pictures.append(ModelPicture(name: "samples", image: ImageGrid(scale: Self.scale).picture(rows: rows)))
    }
    let count = min(monitoring.completions, test.count)
    if count > 0 {
      var truth = [UInt8](repeating: 0, count: count * test.valuesPerImage)
      try test.fill(
        levels: &truth, images: Array(0..<count)[...], key: .evaluation(seed: experiment.configuration.seed))
      let mask = try PixelMask(regions: ["bottom"], size: test.size)
      guard let levels = try complete(truth, mask, parameters: parameters, shouldStop) else { return [] }
      let truths = tiles(truth)
      let grid = ImageGrid.completions(
        contexts: truths.map { mask.hidingMissing(in: $0) }, completions: [tiles(levels)], truths: truths,
        scale: Self.scale)
      pictures.append(ModelPicture(name: "completions", image: grid))
    }
    return pictures
  }

  private static let scale = 3

  /// As many images at a time as a microbatch has, whose activations take more room.
  private func complete(
    _ levels: [UInt8], _ mask: PixelMask, parameters: FloatBuffer, _ shouldStop: () -> Bool
  ) throws -> [UInt8]? {
    let configuration = experiment.configuration
    let sampling = SharedSampling(
      network: experiment.network, size: mask.size, imagesAtOnce: configuration.training.microbatchSize,
      communicator: communicator, pool: pool)
    return try sampling.complete(
      levels, missing: Set(mask.missingPixels), order: experiment.orders.test[0].order, parameters: parameters,
      temperature: 1, seed: configuration.seed
    ) { _ in !shouldStop() }
  }

  /// The pictures of `levels` `[images, pixels, channels]`.
  private func tiles(_ levels: [UInt8]) -> [PNGImage] {
    let test = experiment.test
    let bits = experiment.network.configuration.distribution.levels.trailingZeroBitCount
    return stride(from: 0, to: levels.count, by: test.valuesPerImage).map { start in
      PNGImage(
        size: test.size, channels: test.channels, levels: Array(levels[start..<(start + test.valuesPerImage)]),
        bitDepth: bits)
    }
  }
}
