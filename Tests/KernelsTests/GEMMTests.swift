import Kernels
import Orders
import Tensors
import TestSupport
import Testing

/// OpenBLAS as a witness that shares nothing with our kernels.
struct GEMMTests {
  @Test func multipliesMatrices() {
    let a = Matrix(FloatBuffer([1, 2, 3, 4, 5, 6]), rows: 2, columns: 3)
    let b = Matrix(FloatBuffer([1, 0, -1, 2, 0.5, 3]), rows: 3, columns: 2)
    let c = Matrix(rows: 2, columns: 2)
    c.fill(.nan)
    GEMM.multiply(a: a, b: b, c: c)
    #expect(c.values == [0.5, 13, 2, 28])
  }

  @Test func productsOverNothingAreZero() {
    let c = Matrix(rows: 2, columns: 3)
    c.fill(7)
    GEMM.multiply(a: Matrix(rows: 2, columns: 0), b: Matrix(rows: 0, columns: 3), c: c)
    #expect(c.values == [Float](repeating: 0, count: 6))
  }

  @Test(arguments: try ConvolutionExample.all())
  func gatheredPatternGroupsGiveTheSameConvolution(example: ConvolutionExample) {
    GEMM.useOneThread()
    let shape = example.shape
    let taps = shape.window.taps
    let expected = example.forward(hasBias: false, hasMaskWeight: false, pool: ThreadPool(threads: 1))
    let weight = Matrix(rows: taps * shape.inputs, columns: shape.outputs)
    for tap in 0..<taps {
      for input in 0..<shape.inputs {
        for output in 0..<shape.outputs {
          weight[tap * shape.inputs + input, output] = example.weight[(output * shape.inputs + input) * taps + tap]
        }
      }
    }
    let y = Matrix(rows: expected.rows, columns: expected.columns)
    y.fill(.nan)
    PatternGroupedConvolution(mask: example.mask, images: shape.images, inputs: shape.inputs, outputs: shape.outputs)
      .forward(x: example.x, weight: weight, y: y)
    // A pixel that sees nothing is zero in both.
    let error = Golden.relativeError(expected.values, y.values.map(Double.init))
    #expect(error < Golden.layerTolerance, "off by \(error)")
  }
}
