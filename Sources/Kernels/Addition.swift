import Tensors

/// Elementwise addition of activations.
public enum Addition {
  /// y += x, same shape.
  public static func add(_ x: Matrix, to y: Matrix, pool: ThreadPool) {
    precondition(
      x.rows == y.rows && x.columns == y.columns, "Addition.add: [\(x.rows), \(x.columns)] to [\(y.rows), \(y.columns)]"
    )
    pool.run(Rows(rows: x.rows, channels: x.columns, x: x.base, y: y.base))
  }

  private struct Rows: RowWork {
    let rows: Int
    let channels: Int
    let x: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let x = x + row * channels
      let y = y + row * channels
      forEachVector(channels) { first, lanes in
        y.store(y.vector(at: first, lanes: lanes) + x.vector(at: first, lanes: lanes), at: first, lanes: lanes)
      }
    }
  }
}
