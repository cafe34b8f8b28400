import Foundation
import Kernels
import Testing

struct GateTests {
  @Test(arguments: ActivationExample.all)
  func forwardAddsTheGatedHalf(example: ActivationExample) {
    let x = example.matrix(0)
    let d = example.matrix(1, multiple: 2, special: true)
    let out = example.matrix(2)
    Gate.forward(x: x, d: d, out: out, pool: ThreadPool(threads: 2))
    expectClose(out.values, (0..<x.rows).flatMap { row in zip(x.row(row), plain(d.row(row))).map { $0 + $1 } })
  }

  @Test(arguments: ActivationExample.all)
  func backwardIsTheDerivativeOfBothHalves(example: ActivationExample) {
    let d = example.matrix(1, multiple: 2)
    let dOut = example.matrix(2)
    let dd = example.matrix(3, multiple: 2)
    Gate.backward(d: d, dOut: dOut, dd: dd, pool: ThreadPool(threads: 2))
    expectClose(dd.values, example.gradient(x: d, dy: dOut) { _, d in plain(d) })
  }

  @Test func backwardOfSaturatedGatesIsZeroOrTheGradient() {
    let example = ActivationExample(rows: 1, channels: 2)
    let d = example.matrix(0, multiple: 2)
    (d[0, 2], d[0, 3]) = (1e4, -1e4)
    let dOut = example.matrix(1)
    let dd = example.matrix(2, multiple: 2)
    Gate.backward(d: d, dOut: dOut, dd: dd, pool: ThreadPool(threads: 1))
    #expect(dd.values == [dOut[0, 0], 0, 0, 0])
  }

  /// p * sigmoid(q) for one row of (p, q).
  private func plain(_ d: [Double]) -> [Double] {
    let channels = d.count / 2
    return (0..<channels).map { d[$0] / (1 + exp(-d[channels + $0])) }
  }
}
