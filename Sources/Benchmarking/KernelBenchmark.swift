import Kernels
import Model
import Optimization
import Orders
import Tensors

/// One kernel's speed.
public struct KernelMeasurement: Codable, Sendable {
  /// What it is called.
  public let kernel: String
  /// Sizes, such as `320 -> 160`.
  public let shape: String
  /// The fastest of several runs.
  public let seconds: Double
  /// Useful operations a second in billions, for products.
  public let gigaflops: Double?
  /// Bytes read and written a second in billions, each array counted once, for the others.
  public let gigabytesPerSecond: Double?

  enum CodingKeys: String, CodingKey {
    case kernel, shape, seconds
    case gigaflops = "gflops"
    case gigabytesPerSecond = "gbytes_per_second"
  }
}

/// Each kernel of the network alone, at the sizes the network uses it at.
public struct KernelBenchmark {
  private let model: ModelConfiguration
  private let rows: Int
  private let images: Int
  private let size: ImageSize
  private let pool: ThreadPool
  private let order: GenerationOrder
  private let repetitions: Int

  /// Kernels of the network `model` for `images` images of `size` under `order`, each run `repetitions` times.
  public init(
    model: ModelConfiguration, size: ImageSize, images: Int, order: GenerationOrder, pool: ThreadPool,
    repetitions: Int
  ) {
    self.model = model
    self.size = size
    self.images = images
    self.order = order
    self.pool = pool
    self.repetitions = repetitions
    rows = images * size.pixels
  }

  /// Measures all of them.
  public func run() -> [KernelMeasurement] {
    let filters = model.filters
    let (first, undilated, dilated) = (pair(.a, 1), pair(.b, 1), pair(.b, model.dilation))
    let identity = NeighbourPlan.pointwise(size: size)
    let pointwise = Pair(forward: identity, transposed: identity)
    return product("LMConv first", first, model.channels + 1, filters)
      + product("LMConv conv_input", undilated, 2 * filters, filters)
      + [patternGrouped("LMConv conv_input forward by pattern, OpenBLAS, 1 thread", 2 * filters, filters)]
      + product("LMConv conv_out", undilated, 2 * filters, 2 * filters)
      + product("LMConv dilated", dilated, filters, filters)
      + product("1x1 nin_skip", pointwise, 2 * filters, filters)
      + product("1x1 nin_out", pointwise, filters, model.outputs) + activations() + parameters() + [loss()]
  }

  // MARK: Products

  private struct Pair {
    let forward: NeighbourPlan
    let transposed: NeighbourPlan
  }

  private func pair(_ type: MaskType, _ dilation: Int) -> Pair {
    let window = KernelWindow(side: model.kernel, dilation: dilation)
    let mask = LocalMask(order: order, window: window, type: type)
    return Pair(
      forward: NeighbourPlan(size: size, window: window, visible: mask.visible),
      transposed: NeighbourPlan(size: size, window: window, visible: mask.transposed.visible, isTransposed: true))
  }

  private func product(_ name: String, _ plans: Pair, _ inputs: Int, _ outputs: Int) -> [KernelMeasurement] {
    let taps = plans.forward.taps
    func panels(_ inputs: Int, _ outputs: Int) -> Matrix {
      Matrix(rows: Panels.elements(taps: taps, inputs: inputs, outputs: outputs) / Panels.width, columns: Panels.width)
    }
    let x = random(inputs)
    let y = random(outputs)
    let weight = panels(inputs, outputs)
    let transposed = panels(outputs, inputs)
    let scratch = panels(inputs, outputs)
    let bias = Matrix(rows: 1, columns: Panels.count(outputs: outputs) * Panels.width)
    let operations = 2.0 * Double(plans.forward.visibleTaps * images * inputs * outputs)
    func measurement(_ direction: String, _ body: () -> Void) -> KernelMeasurement {
      let seconds = fastest(body)
      return KernelMeasurement(
        kernel: "\(name) \(direction)", shape: "\(inputs) -> \(outputs)", seconds: seconds,
        gigaflops: operations / seconds * 1e-9, gigabytesPerSecond: nil)
    }
    return [
      measurement("forward") {
        MaskedConvolution.forward(plan: plans.forward, x: x, weight: weight, bias: bias, y: y, pool: pool)
      },
      measurement("input gradient") {
        MaskedConvolution.inputGradient(
          transposedPlan: plans.transposed, dy: y, transposedWeight: transposed, dx: x, pool: pool)
      },
      measurement("weight gradient") {
        MaskedConvolution.parameterGradients(
          plan: plans.forward, x: x, dy: y, dWeight: weight, dBias: bias, scratch: scratch, pool: pool)
      },
    ]
  }

  /// What the convolution would take with patterns of visible taps and OpenBLAS, for comparison.
  private func patternGrouped(_ name: String, _ inputs: Int, _ outputs: Int) -> KernelMeasurement {
    GEMM.useOneThread()
    let mask = LocalMask(order: order, window: KernelWindow(side: model.kernel, dilation: 1), type: .b)
    let convolution = PatternGroupedConvolution(mask: mask, images: images, inputs: inputs, outputs: outputs)
    let x = random(inputs)
    let y = random(outputs)
    let weight = Matrix(rows: mask.window.taps * inputs, columns: outputs)
    let operations = 2.0 * Double(mask.visibleCounts.reduce(0, +) * images * inputs * outputs)
    let seconds = fastest { convolution.forward(x: x, weight: weight, y: y) }
    return KernelMeasurement(
      kernel: name, shape: "\(inputs) -> \(outputs)", seconds: seconds,
      // All threads' share, as if each did the same.
      gigaflops: operations / seconds * 1e-9 * Double(pool.threads), gigabytesPerSecond: nil)
  }

  // MARK: Elementwise

  private func activations() -> [KernelMeasurement] {
    let filters = model.filters
    let (narrow, other, wide, dWide) = (random(filters), random(filters), random(2 * filters), random(2 * filters))
    let scale = Matrix(rows: rows, columns: 1)
    let normalization = LocationNormalization.positional
    let counts = [Int32](repeating: 1, count: size.pixels)
    // Columns read and written a row.
    func measurement(_ kernel: String, columns: Int, _ body: () -> Void) -> KernelMeasurement {
      elementwise(kernel, shape: "[\(rows), \(filters)]", floats: rows * columns, body)
    }
    return [
      measurement("concat_elu forward", columns: 3 * filters) {
        ConcatELU.forward(x: narrow, y: wide, pool: pool)
      },
      measurement("concat_elu backward", columns: 5 * filters) {
        ConcatELU.backward(x: narrow, dy: wide, dx: other, pool: pool)
      },
      measurement("PONO forward", columns: 2 * filters) {
        normalization.forward(x: narrow, columns: filters, counts: counts, scale: scale, pool: pool)
      },
      measurement("PONO backward", columns: 3 * filters) {
        normalization.backward(y: narrow, columns: filters, scale: scale, dy: other, pool: pool)
      },
      measurement("gate forward", columns: 4 * filters) {
        Gate.forward(x: narrow, d: wide, out: other, pool: pool)
      },
      measurement("gate backward", columns: 5 * filters) {
        Gate.backward(d: wide, dOut: narrow, dd: dWide, pool: pool)
      },
      measurement("ELU forward", columns: 2 * filters) { ELU.forward(x: narrow, y: other, pool: pool) },
      measurement("addition", columns: 3 * filters) { Addition.add(narrow, to: other, pool: pool) },
    ]
  }

  private func parameters() -> [KernelMeasurement] {
    let filters = model.filters
    let taps = model.kernel * model.kernel
    let count = Panels.elements(taps: taps, inputs: 2 * filters, outputs: 2 * filters)
    func panels(_ count: Int) -> Matrix { Matrix(rows: count / Panels.width, columns: Panels.width) }
    let (weight, transposed) = (panels(count), panels(count))
    let (values, gradient) = (FloatBuffer(count: count), FloatBuffer(count: count))
    gradient.fill(0.01)
    var adam = Adam(ranges: [0..<count])
    let pointwise = panels(Panels.elements(taps: 1, inputs: 2 * filters, outputs: filters))
    pointwise.fill(0.1)
    let (effective, gain) = (panels(pointwise.count), Matrix(rows: 1, columns: filters))
    return [
      elementwise("weight transpose", shape: "\(2 * filters) -> \(2 * filters)", floats: 2 * count) {
        MaskedConvolution.transpose(
          weight: weight, taps: taps, inputs: 2 * filters, outputs: 2 * filters, into: transposed, pool: pool)
      },
      elementwise("weight normalization", shape: "\(2 * filters) -> \(filters)", floats: 2 * pointwise.count) {
        WeightNormalization.forward(
          direction: pointwise, gain: gain, weight: effective, outputs: filters, pool: pool)
      },
      elementwise("Adam", shape: "[\(count)]", floats: 7 * count) {
        adam.update(values, gradient: gradient, learningRate: 2e-4, pool: pool)
      },
    ]
  }

  private func loss() -> KernelMeasurement {
    let loss = PixelLoss(distribution: model.distribution, channels: model.channels)
    let logits = random(model.outputs)
    let dLogits = random(model.outputs)
    let levels = [UInt8](repeating: 1, count: rows * model.channels)
    let nats = DoubleBuffer(count: rows)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    return elementwise("loss with gradient", shape: "[\(rows), \(model.outputs)]", floats: 2 * logits.count) {
      loss.evaluate(levels: levels, logits: logits, dLogits: dLogits, nats: nats, scratch: scratch, pool: pool)
    }
  }

  private func elementwise(
    _ kernel: String, shape: String, floats: Int, _ body: () -> Void
  ) -> KernelMeasurement {
    let seconds = fastest(body)
    return KernelMeasurement(
      kernel: kernel, shape: shape, seconds: seconds, gigaflops: nil,
      gigabytesPerSecond: Double(floats * MemoryLayout<Float>.stride) / seconds * 1e-9)
  }

  private func fastest(_ body: () -> Void) -> Double {
    body()
    return (0..<repetitions).map { _ in ContinuousClock().measure(body) / .seconds(1) }.min() ?? 0
  }

  /// Activations `[rows, columns]`, uniform in [-1, 1).
  private func random(_ columns: Int) -> Matrix {
    var generator = KeyedGenerator(seed: 1, purpose: .initialization)
    let matrix = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      for column in 0..<columns { matrix[row, column] = 2 * generator.uniform() - 1 }
    }
    return matrix
  }
}
