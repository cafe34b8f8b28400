import Checkpoints
import Model
import Orders
import Tensors
import TestSupport

/// A whole model of the reference: its configuration, parameters, batches and results.
struct ModelFixture {
  struct Settings: Decodable {
    struct AdamSettings: Decodable {
      let beta1: Double
      let beta2: Double
      let eps: Double
    }
    let bits: Int
    let channels: Int
    let clip: Double
    let cols: Int
    let rows: Int
    let kernel: Int
    let loss: String
    let lr: Double
    let maxDilation: Int
    let mixtures: Int
    let normalization: Normalization
    let filters: Int
    let blocks: Int
    let order: BaseOrder
    let orderVariants: [OrderVariant]
    let topHalfVariants: [OrderVariant]
    let losses: [Double]
    let gradientNorms: [Double]
    let parameters: Int
    let adam: AdamSettings

    enum CodingKeys: String, CodingKey {
      case bits, channels, clip, cols, rows, kernel, loss, lr, mixtures, normalization, order, losses, parameters, adam
      case maxDilation = "max_dilation"
      case filters = "nr_filters"
      case blocks = "nr_resnet"
      case orderVariants = "order_variant_per_step"
      case topHalfVariants = "top_half_variants"
      case gradientNorms = "gradient_norms"
    }
  }

  let name: String
  let file: SafetensorsFile
  let settings: Settings
  let network: AutoregressiveNetwork

  static func all() throws -> [ModelFixture] {
    try Fixtures.all(prefix: "model_").map { try ModelFixture(name: $0.name, file: $0.file) }
  }

  private init(name: String, file: SafetensorsFile) throws {
    self.name = name
    self.file = file
    settings = try Fixtures.configuration(Settings.self, of: file)
    network = AutoregressiveNetwork(
      ModelConfiguration(
        channels: settings.channels, filters: settings.filters, blocks: settings.blocks, kernel: settings.kernel,
        dilation: settings.maxDilation, normalization: settings.normalization,
        bias: file.tensors["param0.u_init.bias"] != nil, maskWeight: file.tensors["param0.u_init.mask_weight"] != nil,
        distribution: settings.loss == "binary"
          ? .binary : .logisticMixture(mixtures: settings.mixtures, bits: settings.bits)))
  }

  var size: ImageSize { ImageSize(rows: settings.rows, columns: settings.cols) }
  var steps: Int { settings.losses.count }
  var distribution: PixelDistribution { network.configuration.distribution }

  /// The reference's loss; none for binary pixels, where there is nothing to tell apart.
  var referenceLoss: ReferenceMixtureLoss? {
    guard case .logisticMixture(let mixtures, _) = distribution else { return nil }
    return ReferenceMixtureLoss(channels: settings.channels, mixtures: mixtures, levels: distribution.levels)
  }

  func order(_ variant: OrderVariant) throws -> GenerationOrder {
    try GenerationOrder(base: settings.order, size: size, variant: variant)
  }

  func levels(_ name: String) throws -> [UInt8] { try Golden.levels(file, name, levels: distribution.levels) }

  /// The parameters after `steps` steps.
  func parameters(after steps: Int) throws -> FloatBuffer {
    let parameters = FloatBuffer(count: network.layout.count)
    for entry in network.layout.entries {
      network.layout.setFileValues(
        try file.doubles("param\(steps).\(entry.name)").map(Float.init), of: entry, in: parameters)
    }
    return parameters
  }
}
