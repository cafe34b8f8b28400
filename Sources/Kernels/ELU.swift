import Tensors

/// The exponential linear unit: x for x > 0, else e^x - 1.
public enum ELU {
  /// x -> y, overwritten, same shape.
  public static func forward(x: Matrix, y: Matrix, pool: ThreadPool) {
    precondition(x.rows == y.rows && x.columns == y.columns, "ELU.forward: y is [\(y.rows), \(y.columns)]")
    pool.run(Forward(rows: x.rows, channels: x.columns, x: x.base, y: y.base))
  }

  /// Turns dy into dx in place: dx = dy where x > 0, else dy * e^x.
  public static func backward(x: Matrix, dy: Matrix, pool: ThreadPool) {
    precondition(x.rows == dy.rows && x.columns == dy.columns, "ELU.backward: dy is [\(dy.rows), \(dy.columns)]")
    pool.run(Backward(rows: x.rows, channels: x.columns, x: x.base, dy: dy.base))
  }

  private struct Forward: RowWork {
    let rows: Int
    let channels: Int
    let x: UnsafePointer<Float>
    let y: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let x = x + row * channels
      let y = y + row * channels
      forEachVector(channels) { first, lanes in
        let value = x.vector(at: first, lanes: lanes)
        y.store((FastMath.exp(value) - 1).replacing(with: value, where: value .> 0), at: first, lanes: lanes)
      }
    }
  }

  private struct Backward: RowWork {
    let rows: Int
    let channels: Int
    let x: UnsafePointer<Float>
    let dy: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let x = x + row * channels
      let dy = dy + row * channels
      forEachVector(channels) { first, lanes in
        let value = x.vector(at: first, lanes: lanes)
        let slope = FastMath.exp(value).replacing(with: 1, where: value .> 0)
        dy.store(dy.vector(at: first, lanes: lanes) * slope, at: first, lanes: lanes)
      }
    }
  }
}
