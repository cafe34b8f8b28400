import Kernels
import Orders
import Tensors
import TestSupport
import Testing

/// Shifted, strided and transposed convolutions through `NeighbourPlan` against their definitions in plain loops.
struct ShiftedConvolutionTests {
  struct Case: CustomStringConvertible, Sendable {
    var size: ImageSize
    var window: ShiftedWindow
    var stride: Int
    var inputs: Int
    var outputs: Int
    var images = 2
    var fine: ImageSize { ImageSize(rows: size.rows * stride, columns: size.columns * stride) }
    var description: String {
      "\(size), \(window.rows)x\(window.columns) from (\(window.firstRow), \(window.firstColumn)), stride \(stride), "
        + "\(inputs) -> \(outputs)"
    }

    init(
      _ size: (Int, Int), window: (Int, Int), from first: (Int, Int), stride: Int = 1, _ inputs: Int, _ outputs: Int
    ) {
      self.size = ImageSize(rows: size.0, columns: size.1)
      self.window = ShiftedWindow(rows: window.0, columns: window.1, firstRow: first.0, firstColumn: first.1)
      self.stride = stride
      self.inputs = inputs
      self.outputs = outputs
    }
  }

  static let cases = [
    Case((1, 1), window: (2, 3), from: (-1, -1), 3, 5), Case((4, 4), window: (2, 3), from: (-2, -1), 2, 17),
    Case((5, 7), window: (1, 3), from: (-1, -1), 4, 16), Case((6, 3), window: (2, 1), from: (-1, -1), 4, 16),
    Case((17, 19), window: (2, 2), from: (-1, -1), 12, 18),
    Case((1, 1), window: (2, 3), from: (-1, -1), stride: 2, 5, 6),
    Case((2, 3), window: (2, 3), from: (-1, -1), stride: 2, 7, 33),
    Case((5, 4), window: (2, 2), from: (-1, -1), stride: 2, 16, 16),
    Case((17, 18), window: (2, 3), from: (-1, -1), stride: 2, 9, 20),
    Case((3, 2), window: (4, 5), from: (-5, -2), stride: 3, 4, 4),
  ]

  /// Random values of a case.
  private struct Example {
    let sizes: Case
    let plan: NeighbourPlan
    let polyphase: Polyphase
    /// Fine and coarse activations.
    let x: Matrix
    let dy: Matrix
    /// `[outputs, inputs, taps]`, and the same as panels.
    let weight: [Float]
    let panels: Matrix
    let transposed: Matrix

    init(_ sizes: Case, pool: ThreadPool) {
      self.sizes = sizes
      var random = KeyedGenerator(testCase: 7)
      plan = NeighbourPlan(size: sizes.size, window: sizes.window, stride: sizes.stride)
      polyphase = Polyphase(size: sizes.size, stride: sizes.stride)
      x = random.matrix(rows: sizes.images * sizes.fine.pixels, columns: sizes.inputs)
      dy = random.matrix(rows: sizes.images * sizes.size.pixels, columns: sizes.outputs)
      let taps = sizes.window.taps
      weight = random.values(sizes.outputs * sizes.inputs * taps)
      var layout = ParameterLayout()
      layout.append(
        name: "weight", shape: [sizes.outputs, sizes.inputs, sizes.window.rows, sizes.window.columns], storage: .panels)
      let buffer = FloatBuffer(count: layout.count)
      layout.setFileValues(weight, of: layout.entries[0], in: buffer)
      panels = Matrix(buffer, rows: layout.count / Panels.width, columns: Panels.width)
      let elements = Panels.elements(taps: taps, inputs: sizes.outputs, outputs: sizes.inputs)
      transposed = Matrix(rows: elements / Panels.width, columns: Panels.width)
      MaskedConvolution.transpose(
        weight: panels, taps: taps, inputs: sizes.inputs, outputs: sizes.outputs, into: transposed, pool: pool)
    }

    /// The fine activations as the plan reads them.
    func components(_ fine: Matrix, _ pool: ThreadPool) -> Matrix {
      let components = Matrix(rows: fine.rows, columns: fine.columns)
      polyphase.split(fine, into: components, pool: pool)
      return components
    }

    /// Every product: rows of the fine and the coarse activations, and the weight's tap.
    func forEachProduct(_ body: (_ fine: Int, _ coarse: Int, _ tap: Int) -> Void) {
      for image in 0..<sizes.images {
        for row in 0..<sizes.size.rows {
          for column in 0..<sizes.size.columns {
            for tap in 0..<sizes.window.taps {
              let fineRow = row * sizes.stride + sizes.window.firstRow + tap / sizes.window.columns
              let fineColumn = column * sizes.stride + sizes.window.firstColumn + tap % sizes.window.columns
              guard (0..<sizes.fine.rows).contains(fineRow), (0..<sizes.fine.columns).contains(fineColumn) else {
                continue
              }
              body(
                image * sizes.fine.pixels + fineRow * sizes.fine.columns + fineColumn,
                image * sizes.size.pixels + row * sizes.size.columns + column, tap)
            }
          }
        }
      }
    }

    func weight(_ output: Int, _ input: Int, _ tap: Int) -> Double {
      Double(weight[(output * sizes.inputs + input) * sizes.window.taps + tap])
    }
  }

  @Test(arguments: cases) func forwardIsTheDefinition(sizes: Case) {
    let pool = ThreadPool(threads: 2)
    let example = Example(sizes, pool: pool)
    let y = Matrix(rows: example.dy.rows, columns: sizes.outputs)
    MaskedConvolution.forward(
      plan: example.plan, x: example.components(example.x, pool), weight: example.panels, y: y, pool: pool)
    var expected = [Double](repeating: 0, count: y.count)
    example.forEachProduct { fine, coarse, tap in
      for output in 0..<sizes.outputs {
        for input in 0..<sizes.inputs {
          expected[coarse * sizes.outputs + output] +=
            Double(example.x[fine, input]) * example.weight(output, input, tap)
        }
      }
    }
    #expect(error(y.values, expected) < Golden.layerTolerance)
  }

  /// The transposed convolution of dy, which is also the input gradient.
  @Test(arguments: cases) func theTransposedConvolutionIsTheDefinition(sizes: Case) {
    let pool = ThreadPool(threads: 2)
    let example = Example(sizes, pool: pool)
    var random = KeyedGenerator(testCase: 8)
    let bias = random.matrix(rows: 1, columns: (sizes.inputs + 15) / 16 * 16)
    let components = Matrix(rows: example.x.rows, columns: sizes.inputs)
    MaskedConvolution.forward(
      plan: example.plan.transposed, x: example.dy, weight: example.transposed, bias: bias, y: components, pool: pool)
    let fine = Matrix(rows: example.x.rows, columns: sizes.inputs)
    example.polyphase.merge(components, into: fine, pool: pool)
    var expected = (0..<fine.count).map { Double(bias[0, $0 % sizes.inputs]) }
    example.forEachProduct { fine, coarse, tap in
      for output in 0..<sizes.outputs {
        for input in 0..<sizes.inputs {
          expected[fine * sizes.inputs + input] +=
            Double(example.dy[coarse, output]) * example.weight(output, input, tap)
        }
      }
    }
    #expect(error(fine.values, expected) < Golden.layerTolerance)
  }

  @Test(arguments: cases) func theWeightGradientIsTheDefinition(sizes: Case) {
    let pool = ThreadPool(threads: 2)
    let example = Example(sizes, pool: pool)
    let dWeight = Matrix(rows: example.panels.rows, columns: Panels.width)
    dWeight.fill(.nan)
    MaskedConvolution.parameterGradients(
      plan: example.plan, x: example.components(example.x, pool), dy: example.dy, dWeight: dWeight,
      scratch: Matrix(rows: dWeight.rows, columns: Panels.width), pool: pool)
    let taps = sizes.window.taps
    var expected = [Double](repeating: 0, count: dWeight.count)
    example.forEachProduct { fine, coarse, tap in
      for output in 0..<sizes.outputs {
        for input in 0..<sizes.inputs {
          expected[Panels.index(tap: tap, input: input, output: output, taps: taps, inputs: sizes.inputs)] +=
            Double(example.x[fine, input]) * Double(example.dy[coarse, output])
        }
      }
    }
    #expect(error(dWeight.values, expected) < Golden.layerTolerance)
  }

  /// One location after another, in either direction, as sampling computes them.
  @Test(arguments: cases) func singleLocationsHaveTheSameBits(sizes: Case) {
    let pool = ThreadPool(threads: 1)
    let example = Example(sizes, pool: pool)
    let y = Matrix(rows: example.dy.rows, columns: sizes.outputs)
    MaskedConvolution.forward(
      plan: example.plan, x: example.components(example.x, pool), weight: example.panels, y: y, pool: pool)
    expectEqual(
      y, at: LocationTaps(example.plan, inputs: example.polyphase), x: example.x, weight: example.panels, sizes, pool)

    let components = Matrix(rows: example.x.rows, columns: sizes.inputs)
    MaskedConvolution.forward(
      plan: example.plan.transposed, x: example.dy, weight: example.transposed, y: components, pool: pool)
    let fine = Matrix(rows: example.x.rows, columns: sizes.inputs)
    example.polyphase.merge(components, into: fine, pool: pool)
    expectEqual(
      fine, at: LocationTaps(example.plan.transposed, outputs: example.polyphase), x: example.dy,
      weight: example.transposed, sizes, pool)
  }

  /// Compares y with what single locations make of x; both are image by image.
  private func expectEqual(
    _ y: Matrix, at taps: LocationTaps, x: Matrix, weight: Matrix, _ sizes: Case, _ pool: ThreadPool
  ) {
    let images = sizes.images
    // Pixel by pixel instead.
    let byPixel = Matrix(rows: x.rows, columns: x.columns)
    let pixels = x.rows / images
    for row in 0..<x.rows { byPixel.view(row: row % pixels * images + row / pixels).copy(from: x.view(row: row)) }
    let one = Matrix(rows: images, columns: y.columns)
    for pixel in 0..<(y.rows / images) {
      MaskedConvolution.forward(
        at: pixel, taps: taps, windowTaps: sizes.window.taps, x: byPixel, weight: weight, y: one, pool: pool)
      for image in 0..<images {
        let expected = y.view(row: image * (y.rows / images) + pixel).values.map(\.bitPattern)
        #expect(one.view(row: image).values.map(\.bitPattern) == expected, "pixel \(pixel), image \(image)")
      }
    }
  }

  @Test func splittingAndMergingAreInverse() {
    let pool = ThreadPool(threads: 2)
    var random = KeyedGenerator(testCase: 9)
    let polyphase = Polyphase(size: ImageSize(rows: 3, columns: 2), stride: 2)
    let fine = random.matrix(rows: 2 * 24, columns: 5)
    let components = Matrix(rows: 48, columns: 5)
    polyphase.split(fine, into: components, pool: pool)
    // The component of odd rows and even columns is the third; its pixel (1, 1) is the fine one (3, 2).
    #expect(components.view(row: 24 + 2 * 6 + 1 * 2 + 1).values == fine.view(row: 24 + 3 * 4 + 2).values)
    let merged = Matrix(rows: 48, columns: 5)
    polyphase.merge(components, into: merged, pool: pool)
    #expect(merged.values == fine.values)
  }

  @Test func concatenationAndItsGradient() {
    let pool = ThreadPool(threads: 2)
    var random = KeyedGenerator(testCase: 10)
    let a = random.matrix(rows: 7, columns: 5)
    let b = random.matrix(rows: 7, columns: 11)
    let y = Matrix(rows: 7, columns: 16)
    ChannelConcatenation.forward(a, b, y: y, pool: pool)
    let before = a.values
    let db = Matrix(rows: 7, columns: 11)
    ChannelConcatenation.backward(dy: y, addingTo: a, db: db, pool: pool)
    for row in 0..<7 {
      #expect(y.view(row: row).values == Array(before[(row * 5)..<(row * 5 + 5)]) + b.view(row: row).values)
    }
    #expect(a.values == before.map { $0 + $0 })
    #expect(db.values == b.values)
  }

  /// Small sums may all be zero: taps of a one-pixel image.
  private func error(_ values: [Float], _ expected: [Double]) -> Double {
    expected.allSatisfy { $0 == 0 } && values.allSatisfy { $0 == 0 } ? 0 : Golden.relativeError(values, expected)
  }
}
