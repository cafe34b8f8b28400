import Kernels
import Orders
import Tensors

/// What both streams of PixelCNN++ have one of.
struct Streams<Part: Sendable>: Sendable {
  /// Of the stream that sees the rows above.
  let u: Part
  /// Of the stream that sees what is left of the location, too.
  let ul: Part
}

/// PixelCNN++ (Salimans et al. 2017), the paper's baseline, as its code has it (`baseline.py`): two streams of shifted
/// convolutions with weight normalization, whose images are halved twice on the way up and doubled twice on the way down.
/// The windows' shapes replace masks, so the raster scan is the only order.
///
/// A definition only: layers and where their parameters lie. `NetworkWorkspace` holds activations.
public struct PixelCNNPlusPlus: Sendable {
  /// What the network was made from. Its windows, weight normalization and biases are fixed.
  public let configuration: ModelConfiguration
  /// Names, shapes and places of all parameters, in the order of the forward pass.
  public let layout: ParameterLayout

  /// The first layer of u.
  let initialAbove: ConvolutionLayer
  /// The two first layers of ul, whose outputs are added.
  let initialRow: ConvolutionLayer
  let initialLeft: ConvolutionLayer
  /// Blocks on the way up, `[group][block]`; those of ul take u's output as a skip input.
  let up: [[Streams<GatedResidualBlock>]]
  /// Strided convolutions after the first two groups up.
  let downsize: [Streams<ConvolutionLayer>]
  /// Blocks on the way down, `[group][block]`, each with a skip input from the way up, and ul with u's output beside it.
  let down: [[Streams<GatedResidualBlock>]]
  /// Transposed convolutions after the first two groups down.
  let upsize: [Streams<TransposedConvolutionLayer>]
  let output: ConvolutionLayer
  /// Floats of all weights that are products of parameters.
  let effectiveCount: Int

  /// The network of `configuration`, of which only channels, filters, blocks, dropout and distribution matter.
  public init(_ configuration: ModelConfiguration) {
    var fixed = configuration
    fixed.normalization = .weightNorm
    self.configuration = fixed
    let filters = configuration.filters
    var layout = ParameterLayout()
    var effectiveCount = 0
    func convolution(_ name: String, _ inputs: Int, _ window: StreamWindow) -> ConvolutionLayer {
      ConvolutionLayer(
        name: name + ".conv", inputs: inputs, outputs: filters, window: window.shape, mask: .shifted(window),
        isNormalized: true, hasBias: true, hasMaskWeight: false, layout: &layout, effectiveCount: &effectiveCount)
    }
    func transposed(_ name: String, _ window: StreamWindow) -> TransposedConvolutionLayer {
      TransposedConvolutionLayer(
        name: name + ".deconv", filters: filters, window: window, layout: &layout, effectiveCount: &effectiveCount)
    }
    func blocks(_ name: String, count: Int, level: Int, skips: Int) -> [Streams<GatedResidualBlock>] {
      func block(_ name: String, _ window: StreamWindow, skips: Int) -> GatedResidualBlock {
        GatedResidualBlock(
          name: name, filters: filters, skipFilters: skips * filters, level: level, window: window, layout: &layout,
          effectiveCount: &effectiveCount)
      }
      return (0..<count).map { index in
        let u = block("\(name).u_stream.\(index)", .above(level: level), skips: skips)
        return Streams(u: u, ul: block("\(name).ul_stream.\(index)", .aboveLeft(level: level), skips: skips + 1))
      }
    }
    initialAbove = convolution("u_init", configuration.channels + 1, .initialAbove)
    initialRow = convolution("ul_init.0", configuration.channels + 1, .initialRow)
    initialLeft = convolution("ul_init.1", configuration.channels + 1, .initialLeft)
    var up: [[Streams<GatedResidualBlock>]] = []
    var downsize: [Streams<ConvolutionLayer>] = []
    for group in 0..<3 {
      up.append(blocks("up_layers.\(group)", count: configuration.blocks, level: group, skips: 0))
      if group < 2 {
        let u = convolution("downsize_u_stream.\(group)", filters, .halvingAbove(level: group))
        let ul = convolution("downsize_ul_stream.\(group)", filters, .halvingAboveLeft(level: group))
        downsize.append(Streams(u: u, ul: ul))
      }
    }
    var down: [[Streams<GatedResidualBlock>]] = []
    var upsize: [Streams<TransposedConvolutionLayer>] = []
    for group in 0..<3 {
      let count = group == 0 ? configuration.blocks : configuration.blocks + 1
      down.append(blocks("down_layers.\(group)", count: count, level: 2 - group, skips: 1))
      if group < 2 {
        let u = transposed("upsize_u_stream.\(group)", .doublingAbove(level: 1 - group))
        let ul = transposed("upsize_ul_stream.\(group)", .doublingAboveLeft(level: 1 - group))
        upsize.append(Streams(u: u, ul: ul))
      }
    }
    self.up = up
    self.downsize = downsize
    self.down = down
    self.upsize = upsize
    output = ConvolutionLayer(
      name: "nin_out.lin_a", inputs: filters, outputs: configuration.outputs, window: [], mask: .pointwise(level: 0),
      isNormalized: true, hasBias: true, hasMaskWeight: false, layout: &layout, effectiveCount: &effectiveCount)
    self.layout = layout
    self.effectiveCount = effectiveCount
  }

  /// What the way up of each stream fills and its way down empties.
  var stack: SkipStack { SkipStack(blocks: configuration.blocks) }

  /// Whether images of `size` can be halved twice.
  public static func takes(_ size: ImageSize) -> Bool {
    let multiple = 1 << (StreamWindow.levels - 1)
    return size.rows % multiple == 0 && size.columns % multiple == 0
  }

  /// All convolutions and linear layers but the transposed ones.
  private var convolutions: [ConvolutionLayer] {
    [initialAbove, initialRow, initialLeft] + (up + down).joined().flatMap { $0.u.layers + $0.ul.layers }
      + downsize.flatMap { [$0.u, $0.ul] } + [output]
  }

  private var transposedConvolutions: [TransposedConvolutionLayer] { upsize.flatMap { [$0.u, $0.ul] } }

  /// Floats of the largest weight, transposed or not.
  var largestWeightScratchCount: Int {
    (convolutions.map(\.weightScratchCount) + transposedConvolutions.map(\.weightScratchCount)).max() ?? 0
  }

  /// What each layer multiplies under `plan`.
  func work(plan: OrderPlan) -> [LayerWork] {
    convolutions.map { $0.work(plan: plan) } + transposedConvolutions.map { $0.work(plan: plan) }
  }
}
