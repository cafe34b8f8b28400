import Tensors
import TestSupport
import Testing

/// Random activations for kernels that work on each location by itself: more rows than a tile has, and channels around
/// whole vectors.
struct ActivationExample: CustomStringConvertible {
  let rows: Int
  let channels: Int

  static let all =
    [1, 2, 5, 7, 8, 9, 16, 23].map { ActivationExample(rows: 9, channels: $0) } + [
      ActivationExample(rows: 1, channels: 3), ActivationExample(rows: 261, channels: 3),
    ]

  var description: String { "[\(rows), \(channels)]" }

  /// Uniform values in [-4, 4), `[rows, columns]` with columns a `multiple` of the channels. With `special`, the first
  /// are zeros and values at which exponentials vanish.
  func matrix(_ number: Int, multiple: Int = 1, special: Bool = false) -> Matrix {
    var random = KeyedGenerator(testCase: number)
    let matrix = random.matrix(rows: rows, columns: multiple * channels, bound: 4)
    let values: [Float] = special ? [0, -0.0, 1e-12, -1e-12, 30, -30, 200, -200] : []
    for (index, value) in values.prefix(matrix.count).enumerated() { matrix.buffer[index] = value }
    return matrix
  }

  /// The gradient of the sum of dy * f(x), where `f` gives one row of the outputs for one row of x.
  func gradient(x: Matrix, dy: Matrix, f: (_ row: Int, _ x: [Double]) -> [Double]) -> [Double] {
    (0..<rows).flatMap { row in
      let dyRow = dy.row(row)
      // The second derivative of an ELU jumps at zero, which costs a quarter of the step.
      return CentralDifference.gradient(at: x.row(row), step: 1e-6) { moved in
        zip(f(row, moved), dyRow).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
  }
}

extension Matrix {
  /// All elements, row by row, in double precision.
  var doubles: [Double] { values.map(Double.init) }

  /// The elements of one row, in double precision.
  func row(_ row: Int) -> [Double] { (0..<columns).map { Double(self[row, $0]) } }
}

/// Expects each of `values` to be near its `expected` one: within `Golden.elementTolerance` of its magnitude or of
/// `magnitude`, that of the terms it is computed from.
func expectClose(
  _ values: [Float], _ expected: [Double], magnitude: Double = 1, sourceLocation: SourceLocation = #_sourceLocation
) {
  #expect(values.count == expected.count, sourceLocation: sourceLocation)
  for (index, (value, expected)) in zip(values, expected).enumerated() {
    let isClose = abs(Double(value) - expected) <= Golden.elementTolerance * max(magnitude, abs(expected))
    #expect(isClose, "element \(index) is \(value), expected \(expected)", sourceLocation: sourceLocation)
  }
}
