import Tensors

/// Two activations side by side along the channels.
public enum ChannelConcatenation {
  /// (a, b) -> y `[rows, A + B]`, overwritten, from a `[rows, A]` and b `[rows, B]`.
  public static func forward(_ a: Matrix, _ b: Matrix, y: Matrix, pool: ThreadPool) {
    check(a, b, y)
    pool.run(Forward(rows: y.rows, first: a.columns, second: b.columns, a: a.base, b: b.base, y: y.base))
  }

  /// Adds the first part of dy to `da` and overwrites `db` with the second.
  public static func backward(dy: Matrix, addingTo da: Matrix, db: Matrix, pool: ThreadPool) {
    check(da, db, dy)
    pool.run(Backward(rows: dy.rows, first: da.columns, second: db.columns, dy: dy.base, da: da.base, db: db.base))
  }

  private static func check(_ a: Matrix, _ b: Matrix, _ y: Matrix) {
    precondition(
      a.rows == y.rows && b.rows == y.rows && a.columns + b.columns == y.columns,
      "ChannelConcatenation: [\(a.rows), \(a.columns)], [\(b.rows), \(b.columns)] and [\(y.rows), \(y.columns)]")
  }

  private struct Forward: RowWork {
    let rows: Int
    let first: Int
    let second: Int
    let a: UnsafePointer<Float>
    let b: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let y = y + row * (first + second)
      y.update(from: a + row * first, count: first)
      (y + first).update(from: b + row * second, count: second)
    }
  }

  private struct Backward: RowWork {
    let rows: Int
    let first: Int
    let second: Int
    let dy: UnsafePointer<Float>
    let da: UnsafeMutablePointer<Float>
    let db: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let dy = dy + row * (first + second)
      let da = da + row * first
      forEachVector(first) { start, lanes in
        da.store(da.vector(at: start, lanes: lanes) + dy.vector(at: start, lanes: lanes), at: start, lanes: lanes)
      }
      (db + row * second).update(from: dy + first, count: second)
    }
  }
}
