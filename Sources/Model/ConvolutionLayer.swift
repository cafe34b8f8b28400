import Kernels
import Tensors
import Tracing

/// A masked convolution (or 1x1 linear layer) of the network: where its parameters lie, and its forward and backward.
package struct ConvolutionLayer: Sendable {
  /// Where the weight comes from.
  enum Weight: Sendable {
    /// The parameter itself.
    case direct(Range<Int>)
    /// g * v / |v|; `effective` is the product's place among the workspace's effective weights.
    case normalized(direction: Range<Int>, gain: Range<Int>, effective: Range<Int>)
  }

  let inputs: Int
  let outputs: Int
  let taps: Int
  let mask: MaskKind
  let weight: Weight
  let bias: Range<Int>?
  let maskWeight: Range<Int>?
  /// First of this layer's parameters in the flat vector.
  let firstParameter: Int
  /// Its place among the layout's entries, which labels this layer in traces.
  let firstEntry: Int

  /// Whether it is a 1x1 layer.
  var isPointwise: Bool { if case .pointwise = mask { true } else { false } }

  /// Appends the layer's parameters to `layout` under the reference's names.
  ///
  /// `window` are the rows and columns of its taps, none for a linear layer. `effectiveCount` is the running size of all
  /// effective weights.
  package init(
    name: String, inputs: Int, outputs: Int, window: [Int], mask: MaskKind, isNormalized: Bool, hasBias: Bool,
    hasMaskWeight: Bool, layout: inout ParameterLayout, effectiveCount: inout Int
  ) {
    self.inputs = inputs
    self.outputs = outputs
    self.mask = mask
    taps = window.reduce(1, *)
    firstParameter = layout.count
    firstEntry = layout.entries.count
    // nn.Linear has [out, in], a convolution [out, in, rows, columns].
    if isNormalized {
      let gain = layout.append(name: name + ".weight_g", shape: [outputs, 1] + window.map { _ in 1 })
      let direction = layout.append(name: name + ".weight_v", shape: [outputs, inputs] + window, storage: .panels)
      weight = .normalized(
        direction: direction, gain: gain, effective: effectiveCount..<(effectiveCount + direction.count))
      effectiveCount += direction.count
    } else {
      weight = .direct(layout.append(name: name + ".weight", shape: [outputs, inputs] + window, storage: .panels))
    }
    bias = hasBias ? layout.append(name: name + ".bias", shape: [outputs]) : nil
    maskWeight =
      hasMaskWeight ? layout.append(name: name + ".mask_weight", shape: [outputs] + window, storage: .maskPanels) : nil
  }

  /// Computes the effective weight, where it is not a parameter itself. Due whenever parameters have changed.
  package func prepare(parameters: FloatBuffer, effective: FloatBuffer, pool: ThreadPool) {
    guard case .normalized(let direction, let gain, let place) = weight else { return }
    WeightNormalization.forward(
      direction: Self.panels(parameters, direction), gain: Self.row(parameters, gain),
      weight: Self.panels(effective, place), outputs: outputs, pool: pool)
  }

  /// y `[rows, outputs]` from x `[rows, inputs]`; overwritten, or added to with `adds`. `phase` is what traces call it.
  package func forward(
    _ pass: ForwardPass, phase: Phase = .convolution, x: Matrix, adds: Bool = false, y: Matrix
  ) {
    pass.trace.measure(phase, label: firstEntry) {
      MaskedConvolution.forward(
        plan: pass.plan.pair(mask).forward, x: x, weight: effectiveWeight(pass.parameters, pass.effectiveWeights),
        bias: bias.map { Self.row(pass.parameters, $0) },
        maskWeight: maskWeight.map { Self.panels(pass.parameters, $0) }, adds: adds, y: y, pool: pass.pool)
    }
  }

  /// y `[images, outputs]` at one pixel from the cached x of all pixels, `[pixels * images, inputs]`; overwritten, or
  /// added to with `adds`.
  func forward(_ pass: LocationPass, x: Matrix, adds: Bool = false, y: Matrix) {
    MaskedConvolution.forward(
      at: isPointwise ? 0 : pass.pixel, taps: pass.plan.taps(mask), windowTaps: taps, x: x,
      weight: effectiveWeight(pass.parameters, pass.effectiveWeights),
      bias: bias.map { Self.row(pass.parameters, $0) }, maskWeight: maskWeight.map { Self.panels(pass.parameters, $0) },
      adds: adds, y: y, pool: pass.pool)
  }

  /// Writes the gradients of this layer's parameters, given its input and the gradient of its output.
  package func parameterGradients(_ pass: BackwardPass, x: Matrix, dy: Matrix) {
    let dWeight: Matrix
    switch weight {
    case .direct(let range): dWeight = Self.panels(pass.gradient, range)
    case .normalized(let direction, _, _): dWeight = Self.panels(pass.gradient, direction)
    }
    pass.forward.trace.measure(.weightGradient, label: firstEntry) {
      MaskedConvolution.parameterGradients(
        plan: pass.forward.plan.pair(mask).forward, x: x, dy: dy, dWeight: dWeight,
        dBias: bias.map { Self.row(pass.gradient, $0) },
        dMaskWeight: maskWeight.map { Self.panels(pass.gradient, $0) }, scratch: pass.weightScratch,
        pool: pass.forward.pool)
    }
    if case .normalized(let direction, let gain, _) = weight {
      WeightNormalization.backward(
        direction: Self.panels(pass.forward.parameters, direction), gain: Self.row(pass.forward.parameters, gain),
        dWeight: dWeight, dDirection: dWeight, dGain: Self.row(pass.gradient, gain), outputs: outputs,
        pool: pass.forward.pool)
    }
  }

  /// dx `[rows, inputs]` from dy `[rows, outputs]`; overwritten, or added to with `adds`.
  package func inputGradient(_ pass: BackwardPass, dy: Matrix, adds: Bool = false, dx: Matrix) {
    transposeWeight(
      pass.forward.parameters, pass.forward.effectiveWeights, into: pass.weightScratch, pool: pass.forward.pool)
    pass.forward.trace.measure(.inputGradient, label: firstEntry) {
      MaskedConvolution.inputGradient(
        transposedPlan: pass.forward.plan.pair(mask).transposed, dy: dy, transposedWeight: pass.weightScratch,
        adds: adds, dx: dx, pool: pass.forward.pool)
    }
  }

  /// Writes the effective weight with inputs and outputs exchanged.
  func transposeWeight(
    _ parameters: FloatBuffer, _ effectiveWeights: FloatBuffer, into transposed: Matrix, pool: ThreadPool
  ) {
    MaskedConvolution.transpose(
      weight: effectiveWeight(parameters, effectiveWeights), taps: taps, inputs: inputs, outputs: outputs,
      into: transposed, pool: pool)
  }

  /// Floats of the weight or of the transposed weight, whichever has more.
  package var weightScratchCount: Int {
    max(
      Panels.elements(taps: taps, inputs: inputs, outputs: outputs),
      Panels.elements(taps: taps, inputs: outputs, outputs: inputs))
  }

  private func effectiveWeight(_ parameters: FloatBuffer, _ effectiveWeights: FloatBuffer) -> Matrix {
    switch weight {
    case .direct(let range): return Self.panels(parameters, range)
    case .normalized(_, _, let place): return Self.panels(effectiveWeights, place)
    }
  }

  static func panels(_ buffer: FloatBuffer, _ range: Range<Int>) -> Matrix {
    Matrix(buffer, offset: range.lowerBound, rows: range.count / Panels.width, columns: Panels.width)
  }

  static func row(_ buffer: FloatBuffer, _ range: Range<Int>) -> Matrix {
    Matrix(buffer, offset: range.lowerBound, rows: 1, columns: range.count)
  }
}

/// What every layer's forward needs.
package struct ForwardPass {
  package let parameters: FloatBuffer
  package let effectiveWeights: FloatBuffer
  package let plan: OrderPlan
  package let normalization: LocationNormalization
  package let pool: ThreadPool
  /// Where to note what takes how long.
  package let trace: Trace?

  package init(
    parameters: FloatBuffer, effectiveWeights: FloatBuffer, plan: OrderPlan, normalization: LocationNormalization,
    pool: ThreadPool, trace: Trace? = nil
  ) {
    self.parameters = parameters
    self.effectiveWeights = effectiveWeights
    self.plan = plan
    self.normalization = normalization
    self.pool = pool
    self.trace = trace
  }
}

/// What every layer's backward needs besides.
package struct BackwardPass {
  package let forward: ForwardPass
  /// Gradient of the flat parameter vector.
  package let gradient: FloatBuffer
  /// Room for the largest weight, transposed, and for as much as its gradient.
  package let weightScratch: Matrix

  package init(forward: ForwardPass, gradient: FloatBuffer, weightScratch: Matrix) {
    self.forward = forward
    self.gradient = gradient
    self.weightScratch = weightScratch
  }
}
