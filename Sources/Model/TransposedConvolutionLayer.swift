import Kernels
import Tensors
import Tracing

/// A transposed convolution: the adjoint of a strided one, whose inputs are its outputs and the other way round. It goes
/// from a coarse image to the polyphase components of one twice as large on each side.
///
/// Its weight lies in files as that of the strided convolution, `[coarse channels, fine channels, rows, columns]`, and
/// weight normalization, too, acts on the first dimension.
struct TransposedConvolutionLayer: Sendable {
  /// The strided convolution, from fine to coarse, without a bias.
  private let adjoint: ConvolutionLayer
  /// Of the fine image's channels.
  private let bias: Range<Int>
  /// Place of the effective weight with inputs and outputs exchanged, among the workspace's effective weights.
  private let transposed: Range<Int>

  /// Appends the layer's parameters to `layout` under the reference's names.
  init(
    name: String, filters: Int, window: StreamWindow, layout: inout ParameterLayout, effectiveCount: inout Int
  ) {
    adjoint = ConvolutionLayer(
      name: name, inputs: filters, outputs: filters, window: window.shape, mask: .shifted(window), isNormalized: true,
      hasBias: false, hasMaskWeight: false, layout: &layout, effectiveCount: &effectiveCount)
    bias = layout.append(name: name + ".bias", shape: [filters])
    transposed = effectiveCount..<(effectiveCount + adjoint.weightScratchCount)
    effectiveCount += adjoint.weightScratchCount
  }

  /// First of this layer's parameters in the flat vector.
  var firstParameter: Int { adjoint.firstParameter }
  /// Its place among the layout's entries, which labels this layer in traces.
  var firstEntry: Int { adjoint.firstEntry }
  /// Floats of the weight or of the transposed weight, whichever has more.
  var weightScratchCount: Int { adjoint.weightScratchCount }

  /// Computes the effective weight and its transpose. Due whenever parameters have changed.
  func prepare(parameters: FloatBuffer, effective: FloatBuffer, pool: ThreadPool) {
    adjoint.prepare(parameters: parameters, effective: effective, pool: pool)
    adjoint.transposeWeight(
      parameters, effective, into: ConvolutionLayer.panels(effective, transposed), pool: pool)
  }

  /// y `[fine rows, F]`, overwritten, in polyphase order, from x `[coarse rows, F]`.
  func forward(_ pass: ForwardPass, x: Matrix, y: Matrix) {
    pass.trace.measure(.convolution, label: firstEntry) {
      MaskedConvolution.forward(
        plan: pass.plan.pair(adjoint.mask).transposed, x: x,
        weight: ConvolutionLayer.panels(pass.effectiveWeights, transposed),
        bias: ConvolutionLayer.row(pass.parameters, bias), y: y, pool: pass.pool)
    }
  }

  /// y `[images, F]` at one fine pixel from the cached x of all coarse ones, `[pixels * images, F]`; overwritten.
  func forward(_ pass: LocationPass, x: Matrix, y: Matrix) {
    MaskedConvolution.forward(
      at: pass.pixel, taps: pass.plan.transposedTaps(adjoint.mask), windowTaps: adjoint.taps, x: x,
      weight: ConvolutionLayer.panels(pass.effectiveWeights, transposed),
      bias: ConvolutionLayer.row(pass.parameters, bias), y: y, pool: pass.pool)
  }

  /// Writes the gradients of this layer's parameters, given its input and the gradient of its output.
  func parameterGradients(_ pass: BackwardPass, x: Matrix, dy: Matrix) {
    MaskedConvolution.biasGradient(
      dy: dy, dBias: ConvolutionLayer.row(pass.gradient, bias), scratch: pass.weightScratch,
      pool: pass.forward.pool)
    adjoint.parameterGradients(pass, x: dy, dy: x)
  }

  /// dx `[coarse rows, F]`, overwritten, from dy `[fine rows, F]` in polyphase order.
  func inputGradient(_ pass: BackwardPass, dy: Matrix, dx: Matrix) {
    adjoint.forward(pass.forward, phase: .inputGradient, x: dy, y: dx)
  }

  /// What the layer multiplies for one image.
  func work(plan: OrderPlan) -> LayerWork { adjoint.work(plan: plan) }
}
