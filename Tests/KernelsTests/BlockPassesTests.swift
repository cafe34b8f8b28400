import Kernels
import Tensors
import Testing

/// Passes together against the same passes one after the other.
struct BlockPassesTests {
  private static let normalizations: [LocationNormalization] = [.none, .orderRescale, .positional]

  @Test(arguments: ActivationExample.all.filter { $0.channels > 1 }, [0, 1, 2])
  func passesTogetherHaveTheBitsOfPassesInTurn(example: ActivationExample, kind: Int) {
    let normalization = Self.normalizations[kind]
    let pool = ThreadPool(threads: 2)
    let counts = (0..<example.rows).map { Int32($0 % 5) }
    let keep = example.matrix(9, multiple: 2).prefix(rows: 1)

    func results(together isTogether: Bool) -> [[UInt32]] {
      let x = example.matrix(0)
      let normalized = example.matrix(1, special: true)
      let wide = example.matrix(2, multiple: 2)
      let d = example.matrix(3, multiple: 2)
      let out = example.matrix(4)
      let activated = example.matrix(5, multiple: 2)
      let scale = Matrix(rows: example.rows, columns: 1)
      let outputScale = Matrix(rows: example.rows, columns: 1)
      let dC = example.matrix(6)
      let gradient = example.matrix(7, multiple: 2)
      if isTogether {
        BlockPasses.normalizeAndActivate(
          normalization, x: normalized, counts: counts, scale: scale, keep: keep, y: wide, pool: pool)
        BlockPasses.normalizeAndGate(
          normalization, x: x, d: d, counts: counts, scale: outputScale, out: out, activated: activated, pool: pool)
        BlockPasses.backwardThenActivate(
          x: normalized, keep: keep, dX: dC, normalization: normalization, y: normalized, scale: scale, next: x,
          wide: gradient, pool: pool)
      } else {
        normalization.forward(x: normalized, columns: x.columns, counts: counts, scale: scale, pool: pool)
        ConcatELU.forward(x: normalized, keep: keep, y: wide, pool: pool)
        normalization.forward(x: d, columns: x.columns, counts: counts, scale: outputScale, pool: pool)
        Gate.forward(x: x, d: d, out: out, pool: pool)
        ConcatELU.forward(x: out, y: activated, pool: pool)
        ConcatELU.backward(x: normalized, dy: gradient, keep: keep, adds: false, dx: dC, pool: pool)
        normalization.backward(y: normalized, columns: x.columns, scale: scale, dy: dC, pool: pool)
        ConcatELU.forward(x: x, y: gradient, pool: pool)
      }
      return [normalized, wide, d, out, activated, scale, outputScale, dC, gradient].map {
        $0.values.map(\.bitPattern)
      }
    }
    #expect(results(together: true) == results(together: false))
  }
}
