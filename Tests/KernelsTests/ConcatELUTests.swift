import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

struct ConcatELUTests {
  @Test(arguments: ActivationExample.all, [false, true])
  func forwardIsTheELUOfBothSigns(example: ActivationExample, drops: Bool) {
    let x = example.matrix(0, special: true)
    let keep = drops ? keep(example) : nil
    let y = example.matrix(1, multiple: 2)
    ConcatELU.forward(x: x, keep: keep, y: y, pool: ThreadPool(threads: 2))
    expectClose(y.values, (0..<x.rows).flatMap { plain($0, x.row($0), keep: keep, example) })
  }

  @Test(arguments: ActivationExample.all, [false, true])
  func backwardAddsTheDerivative(example: ActivationExample, drops: Bool) {
    let x = example.matrix(0, special: true)
    let keep = drops ? keep(example) : nil
    let dy = example.matrix(1, multiple: 2)
    let dx = example.matrix(2)
    let slopes = example.gradient(x: x, dy: dy) { row, x in plain(row, x, keep: keep, example) }
    let expected = zip(dx.doubles, slopes).map { $0 + $1 }
    ConcatELU.backward(x: x, dy: dy, keep: keep, dx: dx, pool: ThreadPool(threads: 2))
    expectClose(dx.values, expected)
  }

  /// Channels of each image that are dropped, or else scaled by 1 / (1 - 0.25).
  private func keep(_ example: ActivationExample) -> Matrix {
    var random = KeyedGenerator(testCase: 3)
    let images = example.rows / rowsPerImage(example)
    let values = (0..<(images * 2 * example.channels)).map { _ in random.uniform() < 0.25 ? 0 : Float(4) / 3 }
    return Matrix(FloatBuffer(values), rows: images, columns: 2 * example.channels)
  }

  /// Three images, or one.
  private func rowsPerImage(_ example: ActivationExample) -> Int { max(example.rows / 3, 1) }

  /// elu([x, -x]) * keep for one row.
  private func plain(_ row: Int, _ x: [Double], keep: Matrix?, _ example: ActivationExample) -> [Double] {
    let factors = keep?.row(row / rowsPerImage(example)) ?? [Double](repeating: 1, count: 2 * x.count)
    return zip(x + x.map { -$0 }, factors).map { ($0 > 0 ? $0 : expm1($0)) * $1 }
  }
}
