import Foundation
import Kernels
import Testing

struct ELUTests {
  @Test(arguments: ActivationExample.all)
  func forwardIsTheExponentialLinearUnit(example: ActivationExample) {
    let x = example.matrix(0, special: true)
    let y = example.matrix(1)
    ELU.forward(x: x, y: y, pool: ThreadPool(threads: 2))
    expectClose(y.values, plain(x.doubles))
  }

  @Test(arguments: ActivationExample.all)
  func backwardMultipliesByTheDerivative(example: ActivationExample) {
    let x = example.matrix(0, special: true)
    let dy = example.matrix(1)
    let expected = example.gradient(x: x, dy: dy) { _, x in plain(x) }
    ELU.backward(x: x, dy: dy, pool: ThreadPool(threads: 2))
    expectClose(dy.values, expected)
  }

  private func plain(_ x: [Double]) -> [Double] { x.map { $0 > 0 ? $0 : expm1($0) } }
}
