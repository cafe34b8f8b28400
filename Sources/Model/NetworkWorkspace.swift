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
  /// Scratch `[rows, 2F]`; in PixelCNN++ with as much room behind it. With `outputs` it also holds what the last stage, and
  /// one before a layer, wrote until the next block needs it, and the logits.
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
    let configuration = network.configuration
    let filters = configuration.filters
    let isTwoStream = network.hasTwoStreams
    let rows = images * size.pixels
    func matrix(_ columns: Int) -> Matrix { Matrix(rows: rows, columns: columns) }
    input = matrix(configuration.channels + 1)
    let schedule = Self.schedule(network: network, retaining: retention)
    let wide = matrix(Self.wideColumns(network: network, schedule: schedule))
    self.wide = wide.resized(columns: 2 * filters)
    dC = matrix(filters)
    if let schedule {
      // No block needs its scratch memory between the forward and the backward. The last stage's output comes first in it.
      func behind(_ columns: Int) -> Matrix {
        Matrix(wide.buffer, offset: rows * columns, rows: rows, columns: configuration.outputs)
      }
      logitsStorage = behind(filters)
      dLogitsStorage = behind(filters + configuration.outputs)
      u = StreamActivations(network, schedule: schedule, images: images, rows: rows, scratch: wide, dC: dC)
    } else {
      logitsStorage = matrix(configuration.outputs)
      dLogitsStorage = Matrix(rows: hasGradients ? rows : 0, columns: configuration.outputs)
      u = StreamActivations(network, images: images, rows: rows, retaining: retention)
    }
    ul = isTwoStream ? StreamActivations(network, images: images, rows: rows, retaining: retention) : nil
    dStream = Matrix(rows: hasGradients ? rows : 0, columns: filters)
    dStreamUL = Matrix(rows: hasGradients && isTwoStream ? rows : 0, columns: filters)
    joined = Matrix(rows: isTwoStream ? rows : 0, columns: 2 * filters)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
    let scratch = hasGradients ? network.largestWeightScratchCount : 0
    weightScratch = Matrix(rows: scratch / Panels.width, columns: Panels.width)
  }

  /// What is kept for the backward in which rooms; nil where every output has its own.
  private static func schedule(
    network: AutoregressiveNetwork, retaining retention: ActivationRetention
  ) -> RematerializationSchedule? {
    retention == .outputs && !network.hasTwoStreams
      ? RematerializationSchedule(stack: SkipStack(blocks: network.configuration.blocks)) : nil
  }

  /// Floats a row of the blocks' scratch memory, which for PixelCNN++ has room for two skips side by side, and otherwise
  /// may have to hold an output of a stage, the logits and their gradient.
  private static func wideColumns(network: AutoregressiveNetwork, schedule: RematerializationSchedule?) -> Int {
    let configuration = network.configuration
    let block = (network.hasTwoStreams ? 4 : 2) * configuration.filters
    return schedule == nil ? block : max(block, configuration.filters + 2 * configuration.outputs)
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
    let schedule = schedule(network: network, retaining: retention)
    let stream = StreamActivations.floats(
      network, images: images, rows: rows, retaining: retention, schedule: schedule)
    var columns = configuration.channels + 1 + wideColumns(network: network, schedule: schedule) + filters
    if schedule == nil { columns += configuration.outputs }
    if network.hasTwoStreams { columns += 2 * filters }
    if hasGradients { columns += streams * filters + (schedule == nil ? configuration.outputs : 0) }
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

  /// All blocks, stream by stream.
  private func forEachBlock(_ body: (GatedResidualBlock.Activations) -> Void) {
    for case let saved? in u.blocks { body(saved) }
    guard let ul else { return }
    for case let saved? in ul.blocks { body(saved) }
  }

  private static func draw(_ keep: Matrix?, _ probability: Float, _ scale: Float, _ generator: inout KeyedGenerator) {
    guard let keep else { return }
    for image in 0..<keep.rows {
      for channel in 0..<keep.columns {
        keep[image, channel] = generator.uniform() < probability ? 0 : scale
      }
    }
  }

  /// Where the output layer's input lies: what nobody else needs between the ways down and back up.
  var activated: Matrix { rows(retention == .nothing ? dC : dStream) }

  /// Scratch `[rows, F]` for layers, behind what a stage before a layer may have left.
  var layerScratch: Matrix {
    rows(Matrix(wide.buffer, offset: dC.count, rows: dC.rows, columns: dC.columns))
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
