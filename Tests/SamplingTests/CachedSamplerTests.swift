import Kernels
import Model
import Orders
import Sampling
import Tensors
import Testing

@Suite struct CachedSamplerTests {
  static let cases: [ModelConfiguration] = Normalization.allCases.flatMap { normalization in
    [
      ModelConfiguration(
        channels: 1, filters: 5, blocks: 1, normalization: normalization, distribution: .binary),
      ModelConfiguration(
        channels: 3, filters: 16, blocks: 2, kernel: 5, dilation: 1, normalization: normalization, bias: false,
        maskWeight: true, distribution: .logisticMixture(mixtures: 3, bits: 5)),
    ]
  }

  /// Computing each location once gives the very pixels of one full forward pass per pixel: every intermediate bit is
  /// the same, so no sample can fall on the other side of a threshold.
  @Test(arguments: cases)
  func cachedSamplesAreThoseOfFullPasses(configuration: ModelConfiguration) throws {
    let size = ImageSize(rows: 5, columns: 7)
    let network = AutoregressiveNetwork(configuration)
    let parameters = Self.noisyParameters(network)
    var generator = KeyedGenerator(seed: 5, purpose: .sampling)
    let images = 7
    let orders = [
      try GenerationOrder(base: .sCurve, size: size, variant: .transposeReflectRows),
      try GenerationOrder(size: size, pixels: generator.permutation(of: size.pixels)),
    ]
    let missings: [Set<Int>] = [Set(0..<size.pixels), Set(10..<20), Set(generator.permutation(of: size.pixels)[..<9])]
    for order in orders {
      for missing in missings {
        let observed = (0..<(images * size.pixels * configuration.channels)).map { _ in
          UInt8(generator.integer(below: configuration.distribution.levels))
        }
        var cached = observed
        var full = observed
        let cachedSampler = CachedSampler(
          network: network, size: size, images: images, pool: ThreadPool(threads: 2))
        let fullSampler = SequentialSampler(
          network: network, size: size, images: images, pool: ThreadPool(threads: 1))
        #expect(
          cachedSampler.complete(
            levels: &cached, missing: missing, order: order, parameters: parameters, temperature: 1, seed: 3,
            firstImage: 2))
        #expect(
          fullSampler.complete(
            levels: &full, missing: missing, order: order, parameters: parameters, temperature: 1, seed: 3,
            firstImage: 2))
        #expect(cached == full)
        for pixel in Set(0..<size.pixels).subtracting(missing) {
          for channel in 0..<configuration.channels {
            let index = pixel * configuration.channels + channel
            #expect(cached[index] == observed[index], "an observed pixel changed")
          }
        }
      }
    }
  }

  /// The logits at a location are the bits of the full forward pass.
  @Test(arguments: cases)
  func logitsAtALocationAreThoseOfTheFullPass(configuration: ModelConfiguration) throws {
    let size = ImageSize(rows: 6, columns: 6)
    let network = AutoregressiveNetwork(configuration)
    let parameters = Self.noisyParameters(network)
    let pool = ThreadPool(threads: 2)
    let images = 2
    var generator = KeyedGenerator(seed: 6, purpose: .sampling)
    let levels = (0..<(images * size.pixels * configuration.channels)).map { _ in
      UInt8(generator.integer(below: configuration.distribution.levels))
    }
    let order = try GenerationOrder(size: size, pixels: generator.permutation(of: size.pixels))
    let workspace = NetworkWorkspace(network: network, size: size, images: images, retaining: .nothing)
    workspace.prepareInput(levels: levels, images: images)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    network.forward(
      parameters: parameters, plan: OrderPlan(order: order, windows: network.windows), workspace: workspace, pool: pool)

    let cache = LocationCache(network: network, size: size, images: images)
    let plan = LocationPlan(order: order, windows: network.windows)
    cache.prepare(parameters: parameters, pool: pool)
    let scale = 2 / Float(configuration.distribution.levels - 1)
    for pixel in order.pixels.map(Int.init) {
      cache.forward(at: pixel, parameters: parameters, plan: plan, wantsLogits: true, pool: pool)
      for image in 0..<images {
        for output in 0..<configuration.outputs {
          let full = workspace.logits[image * size.pixels + pixel, output]
          #expect(cache.logits[image, output].bitPattern == full.bitPattern)
        }
      }
      cache.setPixel(
        pixel, levels: { levels[($0 * size.pixels + pixel) * configuration.channels + $1] }, scale: scale)
    }
  }

  /// What is told of each pixel are the pixels themselves, and the bits of the likelihood that one full pass gives.
  @Test(arguments: cases)
  func inspectedPixelsHaveTheLikelihoodOfTheFullPass(configuration: ModelConfiguration) throws {
    let size = ImageSize(rows: 5, columns: 6)
    let network = AutoregressiveNetwork(configuration)
    let parameters = Self.noisyParameters(network)
    let pool = ThreadPool(threads: 2)
    let (images, channels) = (3, configuration.channels)
    var generator = KeyedGenerator(seed: 8, purpose: .sampling)
    let observed = (0..<(images * size.pixels * channels)).map { _ in
      UInt8(generator.integer(below: configuration.distribution.levels))
    }
    let missing = Set(generator.permutation(of: size.pixels)[..<12])
    let order = try GenerationOrder(base: .sCurve, size: size, variant: .transpose)
    let sampler = CachedSampler(network: network, size: size, images: images, pool: pool)
    func complete(_ levels: inout [UInt8], inspect: ((SampledPixel) -> Void)?) -> Bool {
      sampler.complete(
        levels: &levels, missing: missing, order: order, parameters: parameters, temperature: 0.7, seed: 4,
        inspect: inspect)
    }
    var plain = observed
    var levels = observed
    var seen: [SampledPixel] = []
    #expect(complete(&plain, inspect: nil))
    #expect(complete(&levels) { seen.append($0) })
    #expect(levels == plain)

    let observedFirst = order.observedFirst(Set(0..<size.pixels).subtracting(missing))
    #expect(seen.map(\.pixel) == observedFirst.pixels.map(Int.init))
    #expect(seen.map(\.isObserved) == (0..<size.pixels).map { $0 < size.pixels - missing.count })
    let workspace = NetworkWorkspace(network: network, size: size, images: images, retaining: .nothing)
    workspace.prepareInput(levels: levels, images: images)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    network.forward(
      parameters: parameters, plan: OrderPlan(order: observedFirst, windows: network.windows), workspace: workspace,
      pool: pool)
    let loss = PixelLoss(distribution: configuration.distribution, channels: channels)
    let nats = DoubleBuffer(count: images * size.pixels)
    loss.evaluate(
      levels: levels, logits: workspace.logits, nats: nats,
      scratch: DoubleBuffer(count: loss.scratchCount(threads: pool.threads)), pool: pool)
    for pixel in seen {
      for image in 0..<images {
        let row = image * size.pixels + pixel.pixel
        #expect(pixel.nats[image].bitPattern == nats[row].bitPattern)
        #expect(
          pixel.levels[(image * channels)..<((image + 1) * channels)]
            == levels[(row * channels)..<((row + 1) * channels)])
      }
    }
  }

  @Test func stoppingEndsTheWork() throws {
    let size = ImageSize(rows: 4, columns: 4)
    let network = AutoregressiveNetwork(ModelConfiguration(channels: 1, filters: 4, blocks: 1, distribution: .binary))
    let sampler = CachedSampler(network: network, size: size, images: 1, pool: ThreadPool(threads: 1))
    var levels = [UInt8](repeating: 0, count: 16)
    var asked = 0
    let isComplete = sampler.complete(
      levels: &levels, missing: Set(0..<16), order: try GenerationOrder(base: .rasterScan, size: size),
      parameters: network.initialParameters(seed: 1), temperature: 1, seed: 1
    ) { done in
      asked = done
      return done < 5
    }
    #expect(!isComplete)
    #expect(asked == 5)
  }

  /// Initial parameters with everything moved a little, so that biases, gains and weights on the mask all matter.
  static func noisyParameters(_ network: AutoregressiveNetwork) -> FloatBuffer {
    let parameters = network.initialParameters(seed: 1)
    var generator = KeyedGenerator(seed: 9, purpose: .initialization)
    for entry in network.layout.entries {
      let values = network.layout.fileValues(of: entry, in: parameters).map { $0 + 0.2 * (generator.uniform() - 0.5) }
      network.layout.setFileValues(values, of: entry, in: parameters)
    }
    return parameters
  }
}
