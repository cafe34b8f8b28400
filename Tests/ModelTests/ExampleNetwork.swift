import Model
import Orders
import Tensors
import TestSupport

/// A network small enough to be tried many times, with random parameters, images and order.
struct ExampleNetwork: CustomStringConvertible {
  let description: String
  let network: AutoregressiveNetwork
  let size: ImageSize
  let images: Int
  let parameters: FloatBuffer
  let levels: [UInt8]
  let plan: OrderPlan

  init(
    _ description: String, _ configuration: ModelConfiguration, size: ImageSize = ImageSize(rows: 4, columns: 5),
    images: Int = 2, number: Int = 0
  ) throws {
    self.description = description
    self.size = size
    self.images = images
    network = AutoregressiveNetwork(configuration)
    parameters = network.initialParameters(seed: UInt64(number))
    var random = KeyedGenerator(testCase: number)
    // Away from the initial values, at which weights on the mask are zero and gains are their directions' norms.
    for entry in network.layout.entries {
      let initial = network.layout.fileValues(of: entry, in: parameters)
      let moved = zip(initial, random.values(entry.count, bound: 0.2)).map { $0 + $1 }
      network.layout.setFileValues(moved, of: entry, in: parameters)
    }
    levels = random.levels(
      images * size.pixels * configuration.channels, below: configuration.distribution.levels)
    let order =
      configuration.architecture == .lmconv
      ? try random.order(of: size) : try GenerationOrder(base: .rasterScan, size: size)
    plan = OrderPlan(order: order, windows: network.windows)
  }

  /// Both architectures.
  static func all() throws -> [ExampleNetwork] { try locallyMasked() + twoStream() }

  /// PixelCNN++ with each kind of image and each option.
  static func twoStream() throws -> [ExampleNetwork] {
    func example(
      _ name: String, rows: Int, columns: Int, channels: Int, filters: Int = 6, blocks: Int = 1, dropout: Float = 0,
      _ distribution: PixelDistribution, number: Int
    ) throws -> ExampleNetwork {
      try ExampleNetwork(
        "PixelCNN++, \(name)",
        ModelConfiguration(
          architecture: .pixelCNNPlusPlus, channels: channels, filters: filters, blocks: blocks, dropout: dropout,
          distribution: distribution), size: ImageSize(rows: rows, columns: columns), number: number)
    }
    return [
      try example("binary", rows: 4, columns: 8, channels: 1, .binary, number: 100),
      try example(
        "RGB, dropout", rows: 8, columns: 4, channels: 3, filters: 5, dropout: 0.4,
        .logisticMixture(mixtures: 2, bits: 5), number: 101),
      try example(
        "grey, two blocks", rows: 4, columns: 4, channels: 1, filters: 4, blocks: 2,
        .logisticMixture(mixtures: 2, bits: 4), number: 102),
    ]
  }

  /// The paper's network: every normalization with each option in turn.
  static func locallyMasked() throws -> [ExampleNetwork] {
    let options: [(name: String, apply: (inout ModelConfiguration) -> Void)] = [
      ("defaults", { _ in }), ("mask weight", { $0.maskWeight = true }), ("no bias", { $0.bias = false }),
      ("dropout", { $0.dropout = 0.3 }), ("kernel 5", { $0.kernel = 5 }), ("dilation 3", { $0.dilation = 3 }),
    ]
    let images: [(channels: Int, distribution: PixelDistribution)] = [
      (1, .binary), (1, .logisticMixture(mixtures: 2, bits: 4)), (3, .logisticMixture(mixtures: 2, bits: 5)),
      (2, .logisticMixture(mixtures: 3, bits: 3)), (4, .logisticMixture(mixtures: 2, bits: 2)),
    ]
    var examples: [ExampleNetwork] = []
    for normalization in Normalization.allCases {
      for option in options {
        let image = images[examples.count % images.count]
        var configuration = ModelConfiguration(
          channels: image.channels, filters: 6, blocks: 1, normalization: normalization,
          distribution: image.distribution)
        option.apply(&configuration)
        examples.append(
          try ExampleNetwork("\(normalization), \(option.name)", configuration, number: examples.count))
      }
    }
    return examples
  }

  /// Which channels a run of an example drops.
  static var dropoutGenerator: KeyedGenerator { KeyedGenerator(testCase: 1) }

  /// A run with these parameters, with a fixed choice of dropped channels if any are.
  func run(threads: Int = 1, images: Int? = nil, retaining retention: ActivationRetention = .everything) -> NetworkRun {
    let run = NetworkRun(
      network, parameters: parameters, size: size, images: images ?? self.images, threads: threads,
      retaining: retention)
    if network.configuration.dropout > 0 {
      var random = Self.dropoutGenerator
      run.workspace.drawDropout(&random)
    }
    return run
  }
}
