import Kernels
import Orders
import Tensors
import TestSupport

/// A masked convolution with random values: as the fast kernels lay it out, and as the reference does.
struct ConvolutionExample: CustomStringConvertible {
  let shape: MaskedConvolutionReference.Shape
  let mask: LocalMask
  let plan: NeighbourPlan
  let transposedPlan: NeighbourPlan
  let x: Matrix
  let dy: Matrix
  /// What `y` and `dx` hold before something is added to them.
  let y0: Matrix
  let dx0: Matrix
  let bias: [Float]
  /// `[outputs, inputs, taps]`
  let weight: [Float]
  /// `[outputs, taps]`
  let maskWeight: [Float]

  private let layout: ParameterLayout
  private let parameters: FloatBuffer

  init(
    _ number: Int, size: ImageSize, window: KernelWindow, type: MaskType, images: Int, inputs: Int, outputs: Int
  ) throws {
    var random = KeyedGenerator(testCase: number)
    shape = .init(size: size, window: window, images: images, inputs: inputs, outputs: outputs)
    mask = LocalMask(order: try random.order(of: size), window: window, type: type)
    plan = NeighbourPlan(size: size, window: window, visible: mask.visible)
    transposedPlan = NeighbourPlan(
      size: size, window: window, visible: mask.transposed.visible, isTransposed: true)
    let rows = images * size.pixels
    x = random.matrix(rows: rows, columns: inputs)
    dy = random.matrix(rows: rows, columns: outputs)
    y0 = random.matrix(rows: rows, columns: outputs)
    dx0 = random.matrix(rows: rows, columns: inputs)
    bias = random.values(outputs)
    weight = random.values(outputs * inputs * window.taps)
    maskWeight = random.values(outputs * window.taps)

    var layout = ParameterLayout()
    layout.append(name: "weight", shape: [outputs, inputs, window.side, window.side], storage: .panels)
    layout.append(name: "bias", shape: [outputs])
    layout.append(name: "mask_weight", shape: [outputs, window.side, window.side], storage: .maskPanels)
    self.layout = layout
    parameters = FloatBuffer(count: layout.count)
    for (entry, values) in zip(layout.entries, [weight, bias, maskWeight]) {
      layout.setFileValues(values, of: entry, in: parameters)
    }
  }

  /// Twenty-five convolutions: one-pixel images, blocks of more pixels than a tile, windows wider than the image, and
  /// channels around the multiples of six and sixteen that the microkernels work in.
  static func all() throws -> [ConvolutionExample] {
    // Rows, columns, side, dilation, images, inputs, outputs.
    let cases = [
      [1, 1, 1, 1, 1, 1, 1], [1, 1, 3, 1, 1, 2, 3], [1, 1, 5, 2, 3, 7, 17], [1, 1, 7, 3, 2, 16, 16],
      [1, 9, 3, 1, 1, 4, 6], [8, 1, 3, 2, 2, 6, 12], [2, 2, 7, 1, 1, 5, 5], [3, 5, 3, 1, 2, 5, 16],
      [5, 3, 3, 2, 1, 6, 15], [7, 5, 5, 1, 2, 13, 33], [4, 9, 7, 1, 1, 3, 7], [6, 7, 7, 3, 3, 2, 5],
      [9, 4, 3, 3, 1, 12, 18], [5, 6, 1, 1, 3, 70, 70], [6, 5, 3, 3, 1, 70, 64], [2, 11, 5, 3, 2, 64, 70],
      [5, 5, 5, 2, 1, 17, 1], [5, 5, 3, 1, 1, 1, 47], [17, 19, 3, 1, 2, 12, 18], [19, 17, 3, 2, 1, 23, 31],
      [16, 16, 3, 1, 1, 8, 32], [1, 257, 3, 1, 1, 3, 16], [23, 23, 5, 1, 1, 3, 8], [6, 6, 1, 1, 1, 31, 48],
      [4, 5, 1, 1, 2, 165, 33],
    ]
    return try cases.enumerated().map { number, sizes in
      try ConvolutionExample(
        number, size: ImageSize(rows: sizes[0], columns: sizes[1]),
        window: KernelWindow(side: sizes[2], dilation: sizes[3]), type: number % 3 == 0 ? .a : .b, images: sizes[4],
        inputs: sizes[5], outputs: sizes[6])
    }
  }

  var description: String {
    "\(shape.images) of \(shape.size), side \(shape.window.side), dilation \(shape.window.dilation), "
      + "\(shape.inputs) -> \(shape.outputs) channels"
  }

  /// The convolution of `x`, or of another batch; `adds` to a copy of `y0`.
  func forward(
    x other: Matrix? = nil, hasBias: Bool = true, hasMaskWeight: Bool = true, adds: Bool = false, pool: ThreadPool
  ) -> Matrix {
    let x = other ?? x
    let y = Matrix(rows: x.rows, columns: shape.outputs)
    if adds { y.copy(from: y0) } else { y.fill(.nan) }
    MaskedConvolution.forward(
      plan: plan, x: x, weight: view(0, of: parameters), bias: hasBias ? view(1, of: parameters) : nil,
      maskWeight: hasMaskWeight ? view(2, of: parameters) : nil, adds: adds, y: y, pool: pool)
    return y
  }

  /// The gradient of the input given `dy`, or another batch of it; `adds` to a copy of `dx0`.
  func inputGradient(dy other: Matrix? = nil, adds: Bool = false, pool: ThreadPool) -> Matrix {
    let dy = other ?? dy
    let elements = Panels.elements(taps: shape.window.taps, inputs: shape.outputs, outputs: shape.inputs)
    let transposed = Matrix(rows: elements / Panels.width, columns: Panels.width)
    transposed.fill(.nan)
    MaskedConvolution.transpose(
      weight: view(0, of: parameters), taps: shape.window.taps, inputs: shape.inputs, outputs: shape.outputs,
      into: transposed, pool: pool)
    let dx = Matrix(rows: dy.rows, columns: shape.inputs)
    if adds { dx.copy(from: dx0) } else { dx.fill(.nan) }
    MaskedConvolution.inputGradient(
      transposedPlan: transposedPlan, dy: dy, transposedWeight: transposed, adds: adds, dx: dx, pool: pool)
    return dx
  }

  /// The gradients of the weight, the bias and the weight on the mask, as in files; and all of their memory, where
  /// what no gradient was written to is not a number.
  func parameterGradients(pool: ThreadPool) -> (file: [[Float]], memory: [Float]) {
    let gradients = FloatBuffer(count: layout.count)
    gradients.fill(.nan)
    let scratch = Matrix(rows: view(0, of: gradients).rows, columns: Panels.width)
    MaskedConvolution.parameterGradients(
      plan: plan, x: x, dy: dy, dWeight: view(0, of: gradients), dBias: view(1, of: gradients),
      dMaskWeight: view(2, of: gradients), scratch: scratch, pool: pool)
    return (layout.entries.map { layout.fileValues(of: $0, in: gradients) }, gradients.values)
  }

  /// The elements of the weight's and the mask weight's gradient that belong to no output channel.
  func padding(of memory: [Float]) -> [Float] {
    let taps = shape.window.taps
    return [(layout.entries[0], shape.inputs), (layout.entries[2], 1)].flatMap { entry, inputs in
      var isPadding = [Bool](repeating: true, count: entry.range.count)
      for output in 0..<shape.outputs {
        for input in 0..<inputs {
          for tap in 0..<taps {
            isPadding[Panels.index(tap: tap, input: input, output: output, taps: taps, inputs: inputs)] = false
          }
        }
      }
      return zip(memory[entry.range], isPadding).filter(\.1).map(\.0)
    }
  }

  private func view(_ entry: Int, of buffer: FloatBuffer) -> Matrix {
    let range = layout.entries[entry].range
    return Matrix(
      buffer, offset: range.lowerBound, rows: (range.count + Panels.width - 1) / Panels.width, columns: Panels.width)
  }
}
