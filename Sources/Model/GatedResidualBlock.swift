import Kernels
import Tensors

/// The gated residual block (reference.md): c = norm(conv_input(concat_elu(x))); with a skip input a,
/// c += nin_skip(concat_elu(a)); (p, q) = conv_out(dropout(concat_elu(c))); out = x + norm(p) * sigmoid(q).
package struct GatedResidualBlock: Sendable {
  /// What its parameters' names begin with.
  let name: String
  let convInput: ConvolutionLayer
  let ninSkip: ConvolutionLayer?
  let convOut: ConvolutionLayer

  /// A block of the paper's network under local masks.
  package init(
    name: String, configuration: ModelConfiguration, hasSkip: Bool, layout: inout ParameterLayout,
    effectiveCount: inout Int
  ) {
    self.init(
      name: name, filters: configuration.filters, skipFilters: hasSkip ? configuration.filters : 0, level: 0,
      convolution: { name, outputs, layout, effectiveCount in
        ConvolutionLayer(
          name: name, inputs: 2 * configuration.filters, outputs: outputs,
          window: [configuration.kernel, configuration.kernel], mask: .undilated,
          isNormalized: configuration.normalization == .weightNorm, hasBias: configuration.bias,
          hasMaskWeight: configuration.maskWeight, layout: &layout, effectiveCount: &effectiveCount)
      }, layout: &layout, effectiveCount: &effectiveCount)
  }

  /// A block of PixelCNN++ with `window`, for images of `level`; its skip input has `skipFilters` channels, which are
  /// none, F, or 2F for two activations side by side.
  init(
    name: String, filters: Int, skipFilters: Int, level: Int, window: StreamWindow, layout: inout ParameterLayout,
    effectiveCount: inout Int
  ) {
    self.init(
      name: name, filters: filters, skipFilters: skipFilters, level: level,
      convolution: { name, outputs, layout, effectiveCount in
        ConvolutionLayer(
          name: name + ".conv", inputs: 2 * filters, outputs: outputs, window: window.shape, mask: .shifted(window),
          isNormalized: true, hasBias: true, hasMaskWeight: false, layout: &layout, effectiveCount: &effectiveCount)
      }, layout: &layout, effectiveCount: &effectiveCount)
  }

  private init(
    name: String, filters: Int, skipFilters: Int, level: Int,
    convolution: (
      _ name: String, _ outputs: Int, _ layout: inout ParameterLayout, _ effectiveCount: inout Int
    ) -> ConvolutionLayer,
    layout: inout ParameterLayout, effectiveCount: inout Int
  ) {
    self.name = name
    convInput = convolution(name + ".conv_input", filters, &layout, &effectiveCount)
    ninSkip =
      skipFilters > 0
      ? ConvolutionLayer(
        name: name + ".nin_skip.lin_a", inputs: 2 * skipFilters, outputs: filters, window: [],
        mask: .pointwise(level: level), isNormalized: true, hasBias: true, hasMaskWeight: false, layout: &layout,
        effectiveCount: &effectiveCount) : nil
    convOut = convolution(name + ".conv_out", 2 * filters, &layout, &effectiveCount)
  }

  /// All of the block's layers in the order of the forward pass.
  package var layers: [ConvolutionLayer] { [convInput] + (ninSkip.map { [$0] } ?? []) + [convOut] }

  /// What the forward pass leaves for the backward.
  package struct Activations: Sendable {
    /// The normalized output of `conv_input`, before the skip is added: `[rows, F]`.
    package let normalized: Matrix
    /// c: `[rows, F]`; the same storage as `normalized` where nothing is added or the normalization needs no values.
    package let c: Matrix
    /// What `conv_input`'s rows were multiplied by: `[rows, 1]`.
    package let scale: Matrix
    /// (norm(p), q): `[rows, 2F]`
    package let d: Matrix
    /// What p's rows were multiplied by: `[rows, 1]`.
    package let outputScale: Matrix
    /// 0 or 1 / (1 - dropout) for each image and channel: `[images, 2F]`; absent without dropout.
    package let keep: Matrix?
    /// `[rows, F]`
    package let output: Matrix

    package init(
      normalized: Matrix, c: Matrix, scale: Matrix, d: Matrix, outputScale: Matrix, keep: Matrix?, output: Matrix
    ) {
      self.normalized = normalized
      self.c = c
      self.scale = scale
      self.d = d
      self.outputScale = outputScale
      self.keep = keep
      self.output = output
    }

    /// The same with another place for the output.
    func writing(output: Matrix) -> Activations {
      Activations(
        normalized: normalized, c: c, scale: scale, d: d, outputScale: outputScale, keep: keep, output: output)
    }

    /// Whether c has storage of its own.
    var isSumSeparate: Bool { c.buffer !== normalized.buffer || c.offset != normalized.offset }
  }

  /// Writes `saved.output` and all that backward needs. `wide` `[rows, 2F]` is scratch; where the skip input a has more
  /// channels than x, there is room behind it for concat_elu(a).
  ///
  /// With `isActivated` it holds concat_elu(x) already; with `activatesOutput` it is left with concat_elu(output), for a
  /// block that follows.
  package func forward(
    _ pass: ForwardPass, x: Matrix, skip a: Matrix?, saved: Activations, wide: Matrix, isActivated: Bool = false,
    activatesOutput: Bool = false
  ) {
    forwardProducts(pass, x: x, skip: a, saved: saved, wide: wide, isActivated: isActivated)
    BlockPasses.normalizeAndGate(
      pass.normalization, x: x, d: saved.d, counts: pass.plan.pair(convInput.mask).forward.visibleCounts,
      scale: saved.outputScale,
      out: saved.output, activated: activatesOutput ? wide : nil, pool: pass.pool)
  }

  /// Writes all that backward needs, which is everything but the output.
  func forwardInside(
    _ pass: ForwardPass, x: Matrix, skip a: Matrix?, saved: Activations, wide: Matrix, isActivated: Bool = false
  ) {
    forwardProducts(pass, x: x, skip: a, saved: saved, wide: wide, isActivated: isActivated)
    pass.normalization.forward(
      x: saved.d, columns: x.columns, counts: pass.plan.pair(convInput.mask).forward.visibleCounts,
      scale: saved.outputScale,
      pool: pass.pool)
  }

  /// Everything up to d, whose first half is not normalized yet.
  private func forwardProducts(
    _ pass: ForwardPass, x: Matrix, skip a: Matrix?, saved: Activations, wide: Matrix, isActivated: Bool
  ) {
    let counts = pass.plan.pair(convInput.mask).forward.visibleCounts
    if !isActivated { ConcatELU.forward(x: x, y: wide, pool: pass.pool) }
    convInput.forward(pass, x: wide, y: saved.normalized)
    if let ninSkip, let a {
      pass.normalization.forward(
        x: saved.normalized, columns: x.columns, counts: counts, scale: saved.scale, pool: pass.pool)
      if saved.isSumSeparate { saved.c.copy(from: saved.normalized) }
      addSkip(pass, ninSkip, a, to: saved.c, wide: wide)
      ConcatELU.forward(x: saved.c, keep: saved.keep, y: wide, pool: pass.pool)
    } else {
      BlockPasses.normalizeAndActivate(
        pass.normalization, x: saved.normalized, counts: counts, scale: saved.scale, keep: saved.keep, y: wide,
        pool: pass.pool)
    }
    convOut.forward(pass, x: wide, y: saved.d)
  }

  /// Writes c once more, where its storage served another block since; what the normalization made is still there.
  func forwardSum(_ pass: ForwardPass, skip a: Matrix?, saved: Activations, wide: Matrix) {
    guard let ninSkip, let a, saved.isSumSeparate else { return }
    saved.c.copy(from: saved.normalized)
    addSkip(pass, ninSkip, a, to: saved.c, wide: wide)
  }

  private func addSkip(_ pass: ForwardPass, _ ninSkip: ConvolutionLayer, _ a: Matrix, to c: Matrix, wide: Matrix) {
    let wideSkip = wide.resized(columns: ninSkip.inputs)
    ConcatELU.forward(x: a, y: wideSkip, pool: pass.pool)
    ninSkip.forward(pass, x: wideSkip, adds: true, y: c)
  }

  /// Turns `dStream`, the gradient of the output, into that of x in place; overwrites `dSkip` with that of a, and
  /// `saved.d`. `dSkip` may be a itself.
  ///
  /// `wide` `[rows, 2F]` and `dC` `[rows, F]` are scratch, and `dC` may be c where that has storage of its own. `completed`
  /// is told, from the last layer to the first, from which offset on the gradient of the parameters is final.
  package func backward(
    _ pass: BackwardPass, x: Matrix, skip a: Matrix?, saved: Activations, dStream: Matrix, dSkip: Matrix?, wide: Matrix,
    dC: Matrix, completed: (Int) -> Void
  ) {
    let pool = pass.forward.pool
    let normalization = pass.forward.normalization
    // From here on d holds its own gradient.
    Gate.backward(
      d: saved.d, normalization: normalization, scale: saved.outputScale, dOut: dStream, dd: saved.d, pool: pool)
    ConcatELU.forward(x: saved.c, keep: saved.keep, y: wide, pool: pool)
    convOut.parameterGradients(pass, x: wide, dy: saved.d)
    completed(convOut.firstParameter)
    convOut.inputGradient(pass, dy: saved.d, dx: wide)
    if let ninSkip, let a, let dSkip {
      ConcatELU.backward(x: saved.c, dy: wide, keep: saved.keep, adds: false, dx: dC, pool: pool)
      let wideSkip = wide.resized(columns: ninSkip.inputs)
      ConcatELU.forward(x: a, y: wideSkip, pool: pool)
      ninSkip.parameterGradients(pass, x: wideSkip, dy: dC)
      completed(ninSkip.firstParameter)
      ninSkip.inputGradient(pass, dy: dC, dx: wideSkip)
      ConcatELU.backward(x: a, dy: wideSkip, adds: false, dx: dSkip, pool: pool)
      normalization.backward(y: saved.normalized, columns: x.columns, scale: saved.scale, dy: dC, pool: pool)
      ConcatELU.forward(x: x, y: wide, pool: pool)
    } else {
      BlockPasses.backwardThenActivate(
        x: saved.c, keep: saved.keep, dX: dC, normalization: normalization, y: saved.normalized, scale: saved.scale,
        next: x, wide: wide, pool: pool)
    }
    convInput.parameterGradients(pass, x: wide, dy: dC)
    completed(convInput.firstParameter)
    convInput.inputGradient(pass, dy: dC, dx: wide)
    ConcatELU.backward(x: x, dy: wide, dx: dStream, pool: pool)
  }
}
