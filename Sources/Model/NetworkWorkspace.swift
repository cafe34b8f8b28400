import Kernels
import Orders
import Tensors

/// The activations of a network for up to a number of images of one size, allocated once.
///
/// Without gradients, blocks share their inner activations and only what the way down needs is kept.
public final class NetworkWorkspace {
  /// The network this belongs to.
  public let network: LocallyMaskedPixelCNN
  /// Size of the images.
  public let size: ImageSize
  /// Images it has room for.
  public let capacity: Int
  /// Images of the current batch; set by `prepareInput`.
  public private(set) var images: Int
  /// Outputs of the network: `[images * pixels, outputs]`.
  public var logits: Matrix { rows(logitsStorage) }
  /// Room for the gradient of `logits`; zero-sized without gradients.
  public var dLogits: Matrix { rows(dLogitsStorage) }

  /// The image scaled to [-1, 1] and a channel of ones: `[images * pixels, channels + 1]`.
  let input: Matrix
  let initialScale: Matrix
  let initialOutput: Matrix
  let upBlocks: [[GatedResidualBlock.Activations]]
  let downBlocks: [[GatedResidualBlock.Activations]]
  /// Outputs and scales of the dilated convolutions, up then down.
  let downsizeOutputs: [(output: Matrix, scale: Matrix)]
  let upsizeOutputs: [(output: Matrix, scale: Matrix)]
  /// Scratch `[rows, 2F]`.
  let wide: Matrix
  let dWide: Matrix
  /// Scratch `[rows, F]`.
  let dC: Matrix
  let dStream: Matrix
  let narrow: Matrix
  let effectiveWeights: FloatBuffer
  let transposedWeight: Matrix
  let hasGradients: Bool
  private let logitsStorage: Matrix
  private let dLogitsStorage: Matrix

  /// Room for `images` images of `size`; for training `withGradients`.
  public init(network: LocallyMaskedPixelCNN, size: ImageSize, images: Int, withGradients: Bool) {
    precondition(images > 0, "NetworkWorkspace: \(images) images")
    self.network = network
    self.size = size
    capacity = images
    self.images = images
    hasGradients = withGradients
    let configuration = network.configuration
    let filters = configuration.filters
    let rows = images * size.pixels
    func matrix(_ columns: Int) -> Matrix { Matrix(rows: rows, columns: columns) }
    input = matrix(configuration.channels + 1)
    initialScale = matrix(1)
    initialOutput = matrix(filters)
    wide = matrix(2 * filters)
    dWide = withGradients ? matrix(2 * filters) : Matrix(rows: 0, columns: 2 * filters)
    let sharedC = matrix(filters)
    let sharedD = matrix(2 * filters)
    let sharedScale = matrix(1)
    let keepsNormalized = configuration.normalization == .pono
    func activations(hasSkip: Bool) -> GatedResidualBlock.Activations {
      let normalized = withGradients ? matrix(filters) : sharedC
      return GatedResidualBlock.Activations(
        normalized: normalized, c: withGradients && hasSkip && keepsNormalized ? matrix(filters) : normalized,
        scale: withGradients ? matrix(1) : sharedScale, d: withGradients ? matrix(2 * filters) : sharedD,
        outputScale: withGradients ? matrix(1) : sharedScale,
        keep: withGradients && configuration.dropout > 0 ? Matrix(rows: images, columns: 2 * filters) : nil,
        output: matrix(filters))
    }
    upBlocks = network.up.map { $0.map { _ in activations(hasSkip: false) } }
    downBlocks = network.down.map { $0.map { _ in activations(hasSkip: true) } }
    downsizeOutputs = network.downsize.map { _ in (matrix(filters), matrix(1)) }
    upsizeOutputs = network.upsize.map { _ in (matrix(filters), matrix(1)) }
    dC = withGradients ? matrix(filters) : Matrix(rows: 0, columns: filters)
    dStream = withGradients ? matrix(filters) : Matrix(rows: 0, columns: filters)
    narrow = matrix(filters)
    logitsStorage = matrix(configuration.outputs)
    dLogitsStorage = Matrix(rows: withGradients ? rows : 0, columns: configuration.outputs)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
    let largest = withGradients ? network.layers.map(\.transposedCount).max() ?? 0 : 0
    transposedWeight = Matrix(rows: largest / Panels.width, columns: Panels.width)
  }

  /// Bytes that a workspace of `images` images of `size` takes.
  public static func bytes(network: LocallyMaskedPixelCNN, size: ImageSize, images: Int, withGradients: Bool) -> Int {
    let configuration = network.configuration
    let filters = configuration.filters
    let rows = images * size.pixels
    let blocks = 6 * configuration.blocks + 2
    let skips = 3 * configuration.blocks + 2
    let perBlock = withGradients ? 4 * filters + 2 : filters
    let skipCopies = withGradients && configuration.normalization == .pono ? skips * filters : 0
    let gradients = withGradients ? 4 * filters + configuration.outputs : 0
    let shared = configuration.channels + 1 + 2 * filters + 4 * (filters + 1) + 5 * filters + configuration.outputs + 3
    return 4 * (rows * (blocks * perBlock + skipCopies + gradients + shared) + network.effectiveCount)
  }

  /// Takes a batch of images, given as levels `[images, pixels, channels]` in 0..<levels: scales them to [-1, 1] and
  /// appends the channel of ones.
  public func prepareInput(levels: [UInt8], images: Int) {
    let channels = network.configuration.channels
    precondition(
      images > 0 && images <= capacity && levels.count >= images * size.pixels * channels,
      "NetworkWorkspace.prepareInput: \(images) images, \(levels.count) levels")
    self.images = images
    let scale = 2 / Float(network.configuration.distribution.levels - 1)
    for row in 0..<(images * size.pixels) {
      for channel in 0..<channels {
        input[row, channel] = Float(levels[row * channels + channel]) * scale - 1
      }
      input[row, channels] = 1
    }
  }

  /// Draws which channels dropout keeps; kept ones are scaled by 1 / (1 - p).
  public func drawDropout(_ generator: inout KeyedGenerator) {
    let probability = network.configuration.dropout
    let scale = 1 / (1 - probability)
    for saved in upBlocks.joined() { Self.draw(saved.keep, probability, scale, &generator) }
    for saved in downBlocks.joined() { Self.draw(saved.keep, probability, scale, &generator) }
  }

  /// Keeps every channel: evaluation with a workspace that has gradients.
  public func disableDropout() {
    for saved in upBlocks.joined() { saved.keep?.fill(1) }
    for saved in downBlocks.joined() { saved.keep?.fill(1) }
  }

  private static func draw(_ keep: Matrix?, _ probability: Float, _ scale: Float, _ generator: inout KeyedGenerator) {
    guard let keep else { return }
    for image in 0..<keep.rows {
      for channel in 0..<keep.columns {
        keep[image, channel] = generator.uniform() < probability ? 0 : scale
      }
    }
  }

  /// The rows of the current batch.
  func rows(_ matrix: Matrix) -> Matrix {
    images == capacity ? matrix : matrix.prefix(rows: matrix.rows / capacity * images)
  }

  func rows(_ saved: GatedResidualBlock.Activations) -> GatedResidualBlock.Activations {
    guard images != capacity else { return saved }
    return GatedResidualBlock.Activations(
      normalized: rows(saved.normalized), c: rows(saved.c), scale: rows(saved.scale), d: rows(saved.d),
      outputScale: rows(saved.outputScale), keep: saved.keep.map { $0.prefix(rows: images) },
      output: rows(saved.output))
  }
}
