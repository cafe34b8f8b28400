import Kernels
import Orders
import Tensors

/// The network of the paper (reference.md, "Network"): locally masked convolutions without spatial down- or upsampling,
/// so that one set of weights models an image under any generation order.
///
/// A definition only: layers and where their parameters lie. `NetworkWorkspace` holds activations.
public struct LocallyMaskedPixelCNN: Sendable {
  /// What the network was made from.
  public let configuration: ModelConfiguration
  /// Names, shapes and places of all parameters, in the order of the forward pass.
  public let layout: ParameterLayout
  /// Windows of the masked convolutions.
  public var windows: NetworkWindows {
    .masked(side: configuration.kernel, dilation: configuration.dilation)
  }

  let initial: ConvolutionLayer
  /// Blocks on the way up, `[group][block]`.
  let up: [[GatedResidualBlock]]
  /// Dilated convolutions after the first two groups up.
  let downsize: [ConvolutionLayer]
  /// Blocks on the way down, `[group][block]`, each with a skip input.
  let down: [[GatedResidualBlock]]
  /// Dilated convolutions after the first two groups down.
  let upsize: [ConvolutionLayer]
  let output: ConvolutionLayer
  /// All blocks and the layers between groups, in the order of the forward pass.
  let stages: [NetworkStage]
  /// Floats of all weights that are products of parameters.
  let effectiveCount: Int

  /// The network of `configuration`.
  public init(_ configuration: ModelConfiguration) {
    self.configuration = configuration
    let filters = configuration.filters
    var layout = ParameterLayout()
    var effectiveCount = 0
    func convolution(_ name: String, _ inputs: Int, _ mask: MaskKind) -> ConvolutionLayer {
      ConvolutionLayer(
        name: name, inputs: inputs, outputs: filters, window: [configuration.kernel, configuration.kernel], mask: mask,
        isNormalized: configuration.normalization == .weightNorm, hasBias: configuration.bias,
        hasMaskWeight: configuration.maskWeight, layout: &layout, effectiveCount: &effectiveCount)
    }
    func blocks(_ name: String, count: Int, hasSkip: Bool) -> [GatedResidualBlock] {
      (0..<count).map { index in
        GatedResidualBlock(
          name: "\(name).u_stream.\(index)", configuration: configuration, hasSkip: hasSkip, layout: &layout,
          effectiveCount: &effectiveCount)
      }
    }
    initial = convolution("u_init", configuration.channels + 1, .first)
    var up: [[GatedResidualBlock]] = []
    var downsize: [ConvolutionLayer] = []
    for group in 0..<3 {
      up.append(blocks("up_layers.\(group)", count: configuration.blocks, hasSkip: false))
      if group < 2 { downsize.append(convolution("downsize_u_stream.\(group)", filters, .dilated)) }
    }
    var down: [[GatedResidualBlock]] = []
    var upsize: [ConvolutionLayer] = []
    for group in 0..<3 {
      let count = group == 0 ? configuration.blocks : configuration.blocks + 1
      down.append(blocks("down_layers.\(group)", count: count, hasSkip: true))
      if group < 2 { upsize.append(convolution("upsize_u_stream.\(group)", filters, .dilated)) }
    }
    self.up = up
    self.downsize = downsize
    self.down = down
    self.upsize = upsize
    output = ConvolutionLayer(
      name: "nin_out.lin_a", inputs: filters, outputs: configuration.outputs, window: [], mask: .pointwise(level: 0),
      isNormalized: true, hasBias: true, hasMaskWeight: false, layout: &layout, effectiveCount: &effectiveCount)
    stages = SkipStack(blocks: configuration.blocks).stages
    self.layout = layout
    self.effectiveCount = effectiveCount
  }

  /// All layers in the order of the forward pass.
  var layers: [ConvolutionLayer] {
    var layers = [initial]
    for group in 0..<3 {
      layers += up[group].flatMap(\.layers)
      if group < 2 { layers.append(downsize[group]) }
    }
    for group in 0..<3 {
      layers += down[group].flatMap(\.layers)
      if group < 2 { layers.append(upsize[group]) }
    }
    return layers + [output]
  }

  /// What the way up fills and the way down empties.
  var stack: SkipStack { SkipStack(blocks: configuration.blocks) }
}
