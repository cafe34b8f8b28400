import Kernels
import Tensors
import Testing

struct LocationNormalizationTests {
  /// Positional normalization divides by the number of channels less one.
  static let severalChannels = ActivationExample.all.filter { $0.channels > 1 }

  @Test(arguments: ActivationExample.all)
  func noneLeavesEverythingAsItIs(example: ActivationExample) {
    let x = example.matrix(0)
    let dy = example.matrix(1)
    let scale = Matrix(rows: x.rows, columns: 1)
    let pool = ThreadPool(threads: 2)
    LocationNormalization.none.forward(x: x, columns: x.columns, counts: counts(example), scale: scale, pool: pool)
    LocationNormalization.none.backward(y: x, columns: x.columns, scale: scale, dy: dy, pool: pool)
    #expect(x.values == example.matrix(0).values)
    #expect(dy.values == example.matrix(1).values)
  }

  @Test(arguments: ActivationExample.all, [1, 2])
  func rescalingDividesByTheVisibleTaps(example: ActivationExample, multiple: Int) {
    check(.orderRescale, example, multiple) { row, x in
      let counts = self.counts(example)
      return x.map { $0 / Double(max(counts[row % counts.count], 1)) }
    }
  }

  @Test(arguments: severalChannels, [1, 2])
  func positionalNormalizationMakesMeanZeroAndVarianceOne(example: ActivationExample, multiple: Int) {
    check(.positional, example, multiple) { _, x in Self.positional(x) }
  }

  @Test func positionalNormalizationOfAConstantLocationIsZero() {
    let x = Matrix(rows: 2, columns: 9)
    x.fill(3)
    let scale = Matrix(rows: 2, columns: 1)
    LocationNormalization.positional.forward(
      x: x, columns: 9, counts: [1, 1], scale: scale, pool: ThreadPool(threads: 1))
    #expect(x.values == [Float](repeating: 0, count: 18))
    // 1 / sqrt(1e-5).
    #expect(abs(scale[0, 0] - 316.2278) < 1e-3)
  }

  @Test func positionalNormalizationKeepsSmallDeviationsFromALargeMean() {
    let x = Matrix(FloatBuffer([1000, 1000.5, 1001, 1001.5]), rows: 1, columns: 4)
    let expected = Self.positional(x.doubles)
    LocationNormalization.positional.forward(
      x: x, columns: 4, counts: [1], scale: Matrix(rows: 1, columns: 1), pool: ThreadPool(threads: 1))
    expectClose(x.values, expected)
  }

  /// Normalizes the first 1 / `multiple` of the columns, as a gated block does with half of its last convolution, and
  /// expects the rest to stay as it is.
  private func check(
    _ normalization: LocationNormalization, _ example: ActivationExample, _ multiple: Int,
    plain: (_ row: Int, _ x: [Double]) -> [Double]
  ) {
    let channels = example.channels
    let pool = ThreadPool(threads: 2)
    let x = example.matrix(0, multiple: multiple)
    let dy = example.matrix(1, multiple: multiple)
    func normalized(_ row: Int, _ x: [Double]) -> [Double] { plain(row, Array(x[..<channels])) + x[channels...] }
    let expectedDX = example.gradient(x: x, dy: dy, f: normalized)
    let expectedY = (0..<x.rows).flatMap { normalized($0, x.row($0)) }
    let scale = Matrix(rows: x.rows, columns: 1)
    normalization.forward(x: x, columns: channels, counts: counts(example), scale: scale, pool: pool)
    expectClose(x.values, expectedY)
    normalization.backward(y: x, columns: channels, scale: scale, dy: dy, pool: pool)
    // Differences of gradients of up to 4, which are then scaled.
    let columns = dy.columns
    for row in 0..<dy.rows {
      let range = (row * columns)..<((row + 1) * columns)
      expectClose(Array(dy.values[range]), Array(expectedDX[range]), magnitude: 4 * Double(max(scale[row, 0], 1)))
    }
  }

  /// Three pixels an image, of which one sees nothing; or as many as there are rows.
  private func counts(_ example: ActivationExample) -> [Int32] { Array([4, 0, 9].prefix(example.rows)) }

  private static func positional(_ x: [Double]) -> [Double] {
    let mean = x.reduce(0, +) / Double(x.count)
    let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(x.count - 1)
    return x.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
  }
}
