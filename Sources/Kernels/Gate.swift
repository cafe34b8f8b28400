import Tensors

/// The end of a gated block, out = x + p * sigmoid(q), where (p, q) are the halves of d `[rows, 2F]`.
public enum Gate {
  /// x `[rows, F]`, d `[rows, 2F]` -> out `[rows, F]`, overwritten.
  public static func forward(x: Matrix, d: Matrix, out: Matrix, pool: ThreadPool) {
    pool.run(forwardRows(x: x, d: d, out: out))
  }

  static func forwardRows(x: Matrix, d: Matrix, out: Matrix) -> GateForward {
    precondition(
      d.rows == x.rows && d.columns == 2 * x.columns && out.rows == x.rows && out.columns == x.columns,
      "Gate.forward: d is [\(d.rows), \(d.columns)], out [\(out.rows), \(out.columns)]")
    return GateForward(rows: x.rows, channels: x.columns, x: x.base, d: d.base, out: out.base)
  }

  /// dd `[rows, 2F]`, overwritten: dp = dOut * sigmoid(q), dq = dOut * p * sigmoid(q) * (1 - sigmoid(q)), where dp is
  /// then taken through the backward of `normalization`, which made p and left `scale` `[rows]`. The gradient of x is
  /// dOut itself.
  ///
  /// `dd` may be `d` itself: one pass over each row reads all of it before it is written.
  public static func backward(
    d: Matrix, normalization: LocationNormalization = .none, scale: Matrix? = nil, dOut: Matrix, dd: Matrix,
    pool: ThreadPool
  ) {
    precondition(
      d.rows == dOut.rows && d.columns == 2 * dOut.columns && dd.rows == d.rows && dd.columns == d.columns
        && (scale?.count ?? d.rows) == d.rows,
      "Gate.backward: d is [\(d.rows), \(d.columns)], dd [\(dd.rows), \(dd.columns)]")
    pool.run(
      GateBackward(
        rows: d.rows, channels: dOut.columns, normalization: normalization,
        scale: scale.map { UnsafePointer($0.base) }, d: d.base, dOut: dOut.base, dd: dd.base))
  }
}

struct GateForward: RowWork {
  let rows: Int
  let channels: Int
  let x: UnsafePointer<Float>
  let d: UnsafePointer<Float>
  let out: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let x = x + row * channels
    let p = d + row * 2 * channels
    let q = p + channels
    let out = out + row * channels
    forEachVector(channels) { first, lanes in
      let gate = FastMath.sigmoid(q.vector(at: first, lanes: lanes))
      let sum = x.vector(at: first, lanes: lanes).addingProduct(p.vector(at: first, lanes: lanes), gate)
      out.store(sum, at: first, lanes: lanes)
    }
  }
}

private struct GateBackward: RowWork {
  let rows: Int
  let channels: Int
  let normalization: LocationNormalization
  let scale: UnsafePointer<Float>?
  let d: UnsafePointer<Float>
  let dOut: UnsafePointer<Float>
  let dd: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let p = d + row * 2 * channels
    let q = p + channels
    let dOut = dOut + row * channels
    let dp = dd + row * 2 * channels
    let dq = dp + channels
    // What the normalization subtracts from dp: a constant, and a multiple of p.
    var mean: Float = 0
    var slope: Float = 0
    if case .positional = normalization {
      var sum = Vector.zero
      var product = Vector.zero
      forEachVector(channels) { first, lanes in
        // The gate waits where its gradient will be, so that it is computed once.
        let gate = FastMath.sigmoid(q.vector(at: first, lanes: lanes))
        dq.store(gate, at: first, lanes: lanes)
        let gradient = dOut.vector(at: first, lanes: lanes) * gate
        sum += gradient
        product = product.addingProduct(gradient, p.vector(at: first, lanes: lanes))
      }
      mean = sum.sum() / Float(channels)
      slope = product.sum() / Float(channels - 1)
    }
    let factor = scale?[row] ?? 1
    forEachVector(channels) { first, lanes in
      let value = p.vector(at: first, lanes: lanes)
      let gate: Vector
      if case .positional = normalization {
        gate = dq.vector(at: first, lanes: lanes)
      } else {
        gate = FastMath.sigmoid(q.vector(at: first, lanes: lanes))
      }
      let gradient = dOut.vector(at: first, lanes: lanes)
      let dGate = gradient * value
      let dValue = gradient * gate
      switch normalization {
      case .none: dp.store(dValue, at: first, lanes: lanes)
      case .orderRescale: dp.store(dValue * factor, at: first, lanes: lanes)
      case .positional: dp.store((dValue - mean - value * slope) * factor, at: first, lanes: lanes)
      }
      dq.store(dGate * (gate * (1 - gate)), at: first, lanes: lanes)
    }
  }
}
