import Tensors

/// The end of a gated block, out = x + p * sigmoid(q), where (p, q) are the halves of d `[rows, 2F]`.
public enum Gate {
  /// x `[rows, F]`, d `[rows, 2F]` -> out `[rows, F]`, overwritten.
  public static func forward(x: Matrix, d: Matrix, out: Matrix, pool: ThreadPool) {
    precondition(
      d.rows == x.rows && d.columns == 2 * x.columns && out.rows == x.rows && out.columns == x.columns,
      "Gate.forward: d is [\(d.rows), \(d.columns)], out [\(out.rows), \(out.columns)]")
    pool.run(GateForward(rows: x.rows, channels: x.columns, x: x.base, d: d.base, out: out.base))
  }

  /// dd `[rows, 2F]`, overwritten: dp = dOut * sigmoid(q), dq = dOut * p * sigmoid(q) * (1 - sigmoid(q)). The gradient
  /// of x is dOut itself.
  public static func backward(d: Matrix, dOut: Matrix, dd: Matrix, pool: ThreadPool) {
    precondition(
      d.rows == dOut.rows && d.columns == 2 * dOut.columns && dd.rows == d.rows && dd.columns == d.columns,
      "Gate.backward: d is [\(d.rows), \(d.columns)], dd [\(dd.rows), \(dd.columns)]")
    pool.run(GateBackward(rows: d.rows, channels: dOut.columns, d: d.base, dOut: dOut.base, dd: dd.base))
  }
}

private struct GateForward: RowWork {
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
    forEachVector(channels) { first, lanes in
      let gate = FastMath.sigmoid(q.vector(at: first, lanes: lanes))
      let gradient = dOut.vector(at: first, lanes: lanes)
      let dGate = gradient * p.vector(at: first, lanes: lanes)
      dp.store(gradient * gate, at: first, lanes: lanes)
      dq.store(dGate * (gate * (1 - gate)), at: first, lanes: lanes)
    }
  }
}
