import Tensors

/// Concatenated ELU, y = elu([x, -x]) along channels, optionally with whole channels of an image dropped (dropout2d).
public enum ConcatELU {
  /// x `[rows, F]` -> y `[rows, 2F]`, overwritten.
  ///
  /// `keep` `[images, 2F]` holds 0 for a dropped channel, 1 / (1 - p) for a kept one; images have the same number of
  /// rows.
  public static func forward(x: Matrix, keep: Matrix? = nil, y: Matrix, pool: ThreadPool) {
    pool.run(forwardRows(x: x, keep: keep, y: y))
  }

  static func forwardRows(x: Matrix, keep: Matrix? = nil, y: Matrix) -> ConcatELUForward {
    precondition(y.rows == x.rows && y.columns == 2 * x.columns, "ConcatELU.forward: y is [\(y.rows), \(y.columns)]")
    return ConcatELUForward(
      rows: x.rows, channels: x.columns, rowsPerImage: x.rows / (keep?.rows ?? 1), x: x.base,
      keep: keep.map { UnsafePointer($0.base) }, y: y.base)
  }

  /// Adds to `dx`, or overwrites it without `adds`: elu'(z) is 1 for z > 0, else e^z, and
  /// dx = keep dy elu'(x) - keep' dy' elu'(-x), where the primed belong to the second half.
  public static func backward(
    x: Matrix, dy: Matrix, keep: Matrix? = nil, adds: Bool = true, dx: Matrix, pool: ThreadPool
  ) {
    pool.run(backwardRows(x: x, dy: dy, keep: keep, adds: adds, dx: dx))
  }

  static func backwardRows(
    x: Matrix, dy: Matrix, keep: Matrix? = nil, adds: Bool = true, dx: Matrix
  ) -> ConcatELUBackward {
    precondition(
      dy.rows == x.rows && dy.columns == 2 * x.columns && dx.rows == x.rows && dx.columns == x.columns,
      "ConcatELU.backward: dy is [\(dy.rows), \(dy.columns)], dx [\(dx.rows), \(dx.columns)]")
    return ConcatELUBackward(
      rows: x.rows, channels: x.columns, rowsPerImage: x.rows / (keep?.rows ?? 1), x: x.base, dy: dy.base,
      keep: keep.map { UnsafePointer($0.base) }, adds: adds, dx: dx.base)
  }
}

struct ConcatELUForward: RowWork {
  let rows: Int
  let channels: Int
  let rowsPerImage: Int
  let x: UnsafePointer<Float>
  let keep: UnsafePointer<Float>?
  let y: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let x = x + row * channels
    let y = y + row * 2 * channels
    let keep = keep.map { $0 + row / rowsPerImage * 2 * channels }
    forEachVector(channels) { first, lanes in
      let value = x.vector(at: first, lanes: lanes)
      // One exponential serves both signs: elu of the negative one of x and -x is e^-|x| - 1.
      let negative = FastMath.exp(nonPositive: -absolute(value)) - 1
      let isPositive = value .> 0
      var positive = negative.replacing(with: value, where: isPositive)
      var opposite = (-value).replacing(with: negative, where: isPositive)
      if let keep {
        positive *= keep.vector(at: first, lanes: lanes)
        opposite *= keep.vector(at: channels + first, lanes: lanes)
      }
      y.store(positive, at: first, lanes: lanes)
      y.store(opposite, at: channels + first, lanes: lanes)
    }
  }
}

struct ConcatELUBackward: RowWork {
  let rows: Int
  let channels: Int
  let rowsPerImage: Int
  let x: UnsafePointer<Float>
  let dy: UnsafePointer<Float>
  let keep: UnsafePointer<Float>?
  let adds: Bool
  let dx: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let x = x + row * channels
    let dy = dy + row * 2 * channels
    let dx = dx + row * channels
    let keep = keep.map { $0 + row / rowsPerImage * 2 * channels }
    forEachVector(channels) { first, lanes in
      let value = x.vector(at: first, lanes: lanes)
      let slope = FastMath.exp(nonPositive: -absolute(value))
      let isPositive = value .> 0
      var positive = dy.vector(at: first, lanes: lanes)
      var opposite = dy.vector(at: channels + first, lanes: lanes)
      if let keep {
        positive *= keep.vector(at: first, lanes: lanes)
        opposite *= keep.vector(at: channels + first, lanes: lanes)
      }
      positive *= slope.replacing(with: 1, where: isPositive)
      opposite *= Vector(repeating: 1).replacing(with: slope, where: isPositive)
      let present = adds ? dx.vector(at: first, lanes: lanes) : .zero
      dx.store(present + positive - opposite, at: first, lanes: lanes)
    }
  }
}

/// |x| lane by lane.
@inline(__always)
private func absolute(_ x: Vector) -> Vector {
  unsafeBitCast(unsafeBitCast(x, to: SIMD8<UInt32>.self) & 0x7FFF_FFFF, to: Vector.self)
}
