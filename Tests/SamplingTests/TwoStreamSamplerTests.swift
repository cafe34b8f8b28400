import Kernels
import Model
import Orders
import Sampling
import Tensors
import Testing

/// PixelCNN++ one location after the other.
@Suite struct TwoStreamSamplerTests {
  static let cases: [ModelConfiguration] = [
    ModelConfiguration(architecture: .pixelCNNPlusPlus, channels: 1, filters: 5, blocks: 2, distribution: .binary),
    ModelConfiguration(
      architecture: .pixelCNNPlusPlus, channels: 3, filters: 17, blocks: 1,
      distribution: .logisticMixture(mixtures: 3, bits: 5)),
  ]

  /// Every intermediate bit is that of full passes, so no sample can fall on the other side of a threshold.
  @Test(arguments: cases, [ImageSize(rows: 8, columns: 12), ImageSize(rows: 4, columns: 4)])
  func cachedSamplesAreThoseOfFullPasses(configuration: ModelConfiguration, size: ImageSize) throws {
    let network = AutoregressiveNetwork(configuration)
    let parameters = CachedSamplerTests.noisyParameters(network)
    let order = try GenerationOrder(base: .rasterScan, size: size)
    let images = 7
    var generator = KeyedGenerator(seed: 5, purpose: .sampling)
    for first in [0, size.columns + 1, size.pixels / 2] {
      let missing = Set(first..<size.pixels)
      let observed = (0..<(images * size.pixels * configuration.channels)).map { _ in
        UInt8(generator.integer(below: configuration.distribution.levels))
      }
      var (cached, full) = (observed, observed)
      let cachedSampler = CachedSampler(network: network, size: size, images: images, pool: ThreadPool(threads: 2))
      let fullSampler = SequentialSampler(network: network, size: size, images: images, pool: ThreadPool(threads: 1))
      #expect(
        cachedSampler.complete(
          levels: &cached, missing: missing, order: order, parameters: parameters, temperature: 1, seed: 3,
          firstImage: 2))
      #expect(
        fullSampler.complete(
          levels: &full, missing: missing, order: order, parameters: parameters, temperature: 1, seed: 3, firstImage: 2)
      )
      #expect(cached == full)
      #expect(cached != observed)
      for index in observed.indices where index / configuration.channels % size.pixels < first {
        #expect(cached[index] == observed[index], "an observed pixel changed")
      }
    }
  }

  @Test(arguments: cases) func logitsAreTheSameBitsAsInAFullPass(configuration: ModelConfiguration) throws {
    let size = ImageSize(rows: 12, columns: 8)
    let network = AutoregressiveNetwork(configuration)
    let parameters = CachedSamplerTests.noisyParameters(network)
    let pool = ThreadPool(threads: 1)
    let images = 2
    let channels = configuration.channels
    var generator = KeyedGenerator(seed: 6, purpose: .sampling)
    let levels = (0..<(images * size.pixels * channels)).map { _ in
      UInt8(generator.integer(below: configuration.distribution.levels))
    }
    let order = try GenerationOrder(base: .rasterScan, size: size)
    let workspace = NetworkWorkspace(network: network, size: size, images: images, retaining: .nothing)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    workspace.prepareInput(levels: levels, images: images)
    network.forward(
      parameters: parameters, plan: OrderPlan(order: order, windows: network.windows), workspace: workspace, pool: pool)

    let plan = LocationPlan(order: order, windows: network.windows)
    let cache = LocationCache(network: network, size: size, images: images)
    cache.prepare(parameters: parameters, pool: pool)
    let scale = 2 / Float(configuration.distribution.levels - 1)
    for pixel in 0..<size.pixels {
      cache.forward(at: pixel, parameters: parameters, plan: plan, wantsLogits: true, pool: pool)
      for image in 0..<images {
        let expected = workspace.logits.view(row: image * size.pixels + pixel).values.map(\.bitPattern)
        #expect(cache.logits.view(row: image).values.map(\.bitPattern) == expected, "pixel \(pixel), image \(image)")
      }
      cache.setPixel(pixel, levels: { levels[($0 * size.pixels + pixel) * channels + $1] }, scale: scale)
    }
  }
}
