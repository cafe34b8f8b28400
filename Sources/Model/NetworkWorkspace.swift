import Kernels
import Orders
import Tensors

/// Which activations a forward pass leaves for a backward. What the backward computes has the same bits either way.
public enum ActivationRetention: Sendable, Hashable {
  /// None: evaluation.
  case nothing
  /// All that the backward needs.
  case everything
  /// The outputs of layers and blocks; what is inside a block is computed anew when its backward comes
  /// (rematerialization): a fraction of the memory for a third more time.
  case outputs
}

/// The activations of a network for up to a number of images of one size, or of smaller ones, allocated once.
///
/// Where inner activations are not retained, all blocks share room for those of one.
public final class NetworkWorkspace {
  /// The network this belongs to.
  public let network: LocallyMaskedPixelCNN
  /// Size of the images of the current batch; set by `prepareInput`.
  public private(set) var size: ImageSize
  /// The size that it was made for, which has the most pixels.
  private let largest: ImageSize
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
  /// Scratch `[rows, F]`.
  let dC: Matrix
  let dStream: Matrix
  let effectiveWeights: FloatBuffer
  let weightScratch: Matrix
  let retention: ActivationRetention
  private let logitsStorage: Matrix
  private let dLogitsStorage: Matrix

  /// Room for `images` images of `size`, and for gradients unless `retention` is `nothing`.
  public init(network: LocallyMaskedPixelCNN, size: ImageSize, images: Int, retaining retention: ActivationRetention) {
    precondition(images > 0, "NetworkWorkspace: \(images) images")
    self.network = network
    self.size = size
    largest = size
    capacity = images
    self.images = images
    self.retention = retention
    let hasGradients = retention != .nothing
    let keepsInner = retention == .everything
    let configuration = network.configuration
    let filters = configuration.filters
    let rows = images * size.pixels
    func matrix(_ columns: Int) -> Matrix { Matrix(rows: rows, columns: columns) }
    input = matrix(configuration.channels + 1)
    initialScale = matrix(1)
    initialOutput = matrix(filters)
    wide = matrix(2 * filters)
    let keepsNormalized = configuration.normalization == .pono && hasGradients
    let normalized = keepsInner ? nil : matrix(filters)
    let separateC = !keepsInner && keepsNormalized ? matrix(filters) : nil
    let d = keepsInner ? nil : matrix(2 * filters)
    let scale = keepsInner ? nil : matrix(1)
    let outputScale = keepsInner ? nil : matrix(1)
    func activations(hasSkip: Bool) -> GatedResidualBlock.Activations {
      let normalized = normalized ?? matrix(filters)
      return GatedResidualBlock.Activations(
        normalized: normalized, c: hasSkip && keepsNormalized ? separateC ?? matrix(filters) : normalized,
        scale: scale ?? matrix(1), d: d ?? matrix(2 * filters), outputScale: outputScale ?? matrix(1),
        keep: hasGradients && configuration.dropout > 0 ? Matrix(rows: images, columns: 2 * filters) : nil,
        output: matrix(filters))
    }
    upBlocks = network.up.map { $0.map { _ in activations(hasSkip: false) } }
    downBlocks = network.down.map { $0.map { _ in activations(hasSkip: true) } }
    downsizeOutputs = network.downsize.map { _ in (matrix(filters), matrix(1)) }
    upsizeOutputs = network.upsize.map { _ in (matrix(filters), matrix(1)) }
    dC = matrix(filters)
    dStream = hasGradients ? matrix(filters) : Matrix(rows: 0, columns: filters)
    logitsStorage = matrix(configuration.outputs)
    dLogitsStorage = Matrix(rows: hasGradients ? rows : 0, columns: configuration.outputs)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
    let largest = hasGradients ? network.layers.map(\.weightScratchCount).max() ?? 0 : 0
    weightScratch = Matrix(rows: largest / Panels.width, columns: Panels.width)
  }

  /// Bytes that a workspace of `images` images of `size` takes.
  public static func bytes(
    network: LocallyMaskedPixelCNN, size: ImageSize, images: Int, retaining retention: ActivationRetention
  ) -> Int {
    let configuration = network.configuration
    let filters = configuration.filters
    let hasGradients = retention != .nothing
    let skips = network.down.joined().count
    let blocks = network.up.joined().count + skips
    let innerBlocks = retention == .everything ? blocks : 1
    let separateC = configuration.normalization == .pono && hasGradients ? min(skips, innerBlocks) : 0
    // Outputs of the blocks, the first layer and the four between groups; what is inside blocks; scratch.
    let outputs = (blocks + 5) * filters + 5
    let inner = innerBlocks * (3 * filters + 2) + separateC * filters
    let scratch = configuration.channels + 1 + 3 * filters + configuration.outputs
    let gradients = hasGradients ? filters + configuration.outputs : 0
    let largest = hasGradients ? network.layers.map(\.weightScratchCount).max() ?? 0 : 0
    return 4 * (images * size.pixels * (outputs + inner + scratch + gradients) + network.effectiveCount + largest)
  }

  /// Takes a batch of images, given as levels `[images, pixels, channels]` in 0..<levels: scales them to [-1, 1] and
  /// appends the channel of ones. The images are of `size`, by default that which the workspace was made for.
  public func prepareInput(levels: [UInt8], images: Int, size: ImageSize? = nil) {
    let channels = network.configuration.channels
    let size = size ?? largest
    precondition(
      images > 0 && images <= capacity && size.pixels <= largest.pixels
        && levels.count >= images * size.pixels * channels,
      "NetworkWorkspace.prepareInput: \(images) images of \(size), \(levels.count) levels")
    self.images = images
    self.size = size
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
    isFull ? matrix : matrix.prefix(rows: min(matrix.rows, images * size.pixels))
  }

  /// Whether the current batch takes all the room.
  private var isFull: Bool { images == capacity && size.pixels == largest.pixels }

  func rows(_ saved: GatedResidualBlock.Activations) -> GatedResidualBlock.Activations {
    guard !isFull else { return saved }
    return GatedResidualBlock.Activations(
      normalized: rows(saved.normalized), c: rows(saved.c), scale: rows(saved.scale), d: rows(saved.d),
      outputScale: rows(saved.outputScale), keep: saved.keep.map { $0.prefix(rows: images) },
      output: rows(saved.output))
  }
}
