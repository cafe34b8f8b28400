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

  /// The convolution as the paper has it: for pixels that see the same taps, gather those taps' inputs and multiply by
  /// those rows of the weight.
  @Test(arguments: try ConvolutionExample.all())
  func gatheredPatternGroupsGiveTheSameConvolution(example: ConvolutionExample) {
    GEMM.useOneThread()
    let shape = example.shape
    let taps = shape.window.taps
    let expected = example.forward(hasBias: false, hasMaskWeight: false, pool: ThreadPool(threads: 1))
    let y = Matrix(rows: expected.rows, columns: expected.columns)
    y.fill(.nan)
    for group in PatternGroups(example.mask).groups {
      let rows = (0..<shape.images).flatMap { image in group.pixels.map { image * shape.size.pixels + Int($0) } }
      let panel = Matrix(rows: rows.count, columns: group.taps.count * shape.inputs)
      let weight = Matrix(rows: group.taps.count * shape.inputs, columns: shape.outputs)
      for (place, tap) in group.taps.enumerated() {
        let offset = shape.window.offset(of: tap)
        for input in 0..<shape.inputs {
          for (index, row) in rows.enumerated() {
            panel[index, place * shape.inputs + input] =
              example.x[row + offset.row * shape.size.columns + offset.column, input]
          }
          for output in 0..<shape.outputs {
            weight[place * shape.inputs + input, output] =
              example.weight[(output * shape.inputs + input) * taps + tap]
          }
        }
      }
      let product = Matrix(rows: rows.count, columns: shape.outputs)
      GEMM.multiply(a: panel, b: weight, c: product)
      for (index, row) in rows.enumerated() {
        for output in 0..<shape.outputs { y[row, output] = product[index, output] }
      }
    }
    // A pixel that sees nothing is zero in both.
    let error = Golden.relativeError(expected.values, y.values.map(Double.init))
    #expect(error < Golden.layerTolerance, "off by \(error)")
  }
}
