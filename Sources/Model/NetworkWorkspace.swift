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
  public let network: AutoregressiveNetwork
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
  /// The only stream of the paper's network, or of PixelCNN++'s the one that sees the rows above.
  let u: StreamActivations
  /// PixelCNN++'s other stream, which sees what is left of the location, too.
  let ul: StreamActivations?
  /// Scratch `[rows, 2F]`; in PixelCNN++ with as much room behind it.
  let wide: Matrix
  /// Scratch `[rows, F]`.
  let dC: Matrix
  let dStream: Matrix
  /// The gradient of stream ul; zero-sized without it.
  let dStreamUL: Matrix
  /// Both streams' activations side by side, `[rows, 2F]`; zero-sized with one stream.
  let joined: Matrix
  let effectiveWeights: FloatBuffer
  let weightScratch: Matrix
  let retention: ActivationRetention
  private let logitsStorage: Matrix
  private let dLogitsStorage: Matrix

  /// Room for `images` images of `size`, and for gradients unless `retention` is `nothing`.
  public init(network: AutoregressiveNetwork, size: ImageSize, images: Int, retaining retention: ActivationRetention) {
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
    let isTwoStream = network.hasTwoStreams
    let rows = images * size.pixels
    func matrix(_ columns: Int) -> Matrix { Matrix(rows: rows, columns: columns) }
    input = matrix(configuration.channels + 1)
    wide = matrix(isTwoStream ? 4 * filters : 2 * filters).resized(columns: 2 * filters)
    let keepsNormalized = configuration.normalization == .pono && hasGradients
    let normalized = keepsInner ? nil : matrix(filters)
    let separateC = !keepsInner && keepsNormalized ? matrix(filters) : nil
    let d = keepsInner ? nil : matrix(2 * filters)
    let scale = keepsInner ? nil : matrix(1)
    let outputScale = keepsInner ? nil : matrix(1)
    func stream() -> StreamActivations {
      let blocks = configuration.blocks
      // PixelCNN++ halves the sides between groups up and doubles them between groups down.
      func count(level: Int) -> Int { isTwoStream ? rows >> (2 * level) : rows }
      func activations(level: Int, hasSkip: Bool) -> GatedResidualBlock.Activations {
        let rows = count(level: level)
        func room(_ shared: Matrix?, _ columns: Int) -> Matrix {
          shared?.prefix(rows: rows) ?? Matrix(rows: rows, columns: columns)
        }
        let normalized = room(normalized, filters)
        return GatedResidualBlock.Activations(
          normalized: normalized, c: hasSkip && keepsNormalized ? room(separateC, filters) : normalized,
          scale: room(scale, 1), d: room(d, 2 * filters), outputScale: room(outputScale, 1),
          keep: hasGradients && configuration.dropout > 0 ? Matrix(rows: images, columns: 2 * filters) : nil,
          output: Matrix(rows: rows, columns: filters))
      }
      func between(level: Int) -> StreamActivations.Between {
        (Matrix(rows: count(level: level), columns: filters), Matrix(rows: count(level: level), columns: 1))
      }
      return StreamActivations(
        stack: SkipStack(blocks: blocks), initialOutput: matrix(filters), initialScale: matrix(1),
        upBlocks: (0..<3).map { group in (0..<blocks).map { _ in activations(level: group, hasSkip: false) } },
        downBlocks: (0..<3).map { group in
          (0..<(group == 0 ? blocks : blocks + 1)).map { _ in activations(level: 2 - group, hasSkip: true) }
        },
        downsizeOutputs: (0..<2).map { between(level: $0 + 1) }, upsizeOutputs: (0..<2).map { between(level: 1 - $0) })
    }
    u = stream()
    ul = isTwoStream ? stream() : nil
    dC = matrix(filters)
    dStream = Matrix(rows: hasGradients ? rows : 0, columns: filters)
    dStreamUL = Matrix(rows: hasGradients && isTwoStream ? rows : 0, columns: filters)
    joined = Matrix(rows: isTwoStream ? rows : 0, columns: 2 * filters)
    logitsStorage = matrix(configuration.outputs)
    dLogitsStorage = Matrix(rows: hasGradients ? rows : 0, columns: configuration.outputs)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
    let scratch = hasGradients ? network.largestWeightScratchCount : 0
    weightScratch = Matrix(rows: scratch / Panels.width, columns: Panels.width)
  }

  /// Bytes that a workspace of `images` images of `size` takes.
  public static func bytes(
    network: AutoregressiveNetwork, size: ImageSize, images: Int, retaining retention: ActivationRetention
  ) -> Int {
    let configuration = network.configuration
    let filters = configuration.filters
    let hasGradients = retention != .nothing
    let streams = network.hasTwoStreams ? 2 : 1
    let rows = images * size.pixels
    func count(level: Int) -> Int { network.hasTwoStreams ? rows >> (2 * level) : rows }
    let separateC = configuration.normalization == .pono && hasGradients ? filters : 0
    let inner = 3 * filters + 2
    // Outputs of the first layer and of the four between groups.
    var stream = (filters + 1) * [0, 1, 2, 1, 0].reduce(0) { $0 + count(level: $1) }
    for group in 0..<3 {
      let up = configuration.blocks
      let down = group == 0 ? up : up + 1
      let kept = retention == .everything ? inner : 0
      stream += up * count(level: group) * (filters + kept)
      stream += down * count(level: 2 - group) * (filters + kept + (kept > 0 ? separateC : 0))
      if hasGradients && configuration.dropout > 0 { stream += (up + down) * images * 2 * filters }
    }
    var columns = configuration.channels + 1 + 3 * filters + configuration.outputs
    if network.hasTwoStreams { columns += 4 * filters }
    if retention != .everything { columns += inner + separateC }
    if hasGradients { columns += streams * filters + configuration.outputs }
    return 4
      * (streams * stream + rows * columns + network.effectiveCount
        + (hasGradients ? network.largestWeightScratchCount : 0))
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
    forEachBlock { Self.draw($0.keep, probability, scale, &generator) }
  }

  /// Keeps every channel: evaluation with a workspace that has gradients.
  public func disableDropout() {
    forEachBlock { $0.keep?.fill(1) }
  }

  /// All blocks, stream by stream, those up before those down.
  private func forEachBlock(_ body: (GatedResidualBlock.Activations) -> Void) {
    func visit(_ stream: StreamActivations) {
      for saved in stream.upBlocks.joined() { body(saved) }
      for saved in stream.downBlocks.joined() { body(saved) }
    }
    visit(u)
    if let ul { visit(ul) }
  }

  private static func draw(_ keep: Matrix?, _ probability: Float, _ scale: Float, _ generator: inout KeyedGenerator) {
    guard let keep else { return }
    for image in 0..<keep.rows {
      for channel in 0..<keep.columns {
        keep[image, channel] = generator.uniform() < probability ? 0 : scale
      }
    }
  }

  /// The rows of the current batch, which are as many of all as its pixels are of those that there is room for.
  func rows(_ matrix: Matrix) -> Matrix {
    isFull ? matrix : matrix.prefix(rows: matrix.rows * (images * size.pixels) / (capacity * largest.pixels))
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
