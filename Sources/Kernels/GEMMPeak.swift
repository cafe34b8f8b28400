import Tensors

/// What OpenBLAS's matrix product reaches on this machine: what our kernels are measured against.
public enum GEMMPeak {
  /// Sides of the square products that are tried: from one that fits in a second-level cache to one that does not.
  static let sides = [256, 384, 512, 768, 1024]

  /// The most floating point operations a second, in billions, that the pool's threads reach together when each multiplies
  /// square matrices of its own by one thread: the best of several sides, each for a fifth of `seconds` at least.
  public static func measure(pool: ThreadPool, seconds: Double = 1) -> Double {
    GEMM.useOneThread()
    var best = 0.0
    for side in sides {
      let work = Products(
        side: side, threads: pool.threads, matrices: Matrix(rows: 3 * pool.threads * side, columns: side))
      work.matrices.fill(0.5)
      pool.run(work)
      var spent = 0.0
      while spent < seconds / Double(sides.count) {
        let taken = ContinuousClock().measure { pool.run(work) } / .seconds(1)
        spent += taken
        best = max(best, work.operations / taken)
      }
    }
    return best * 1e-9
  }

  /// A tile is a thread's: some products that together take about ten milliseconds, so that no thread takes two.
  private struct Products: TiledWork {
    let side: Int
    let threads: Int
    /// `[3 * threads * side, side]`: two factors and a product for each tile.
    let matrices: Matrix

    private var repetitions: Int { max(1, (1 << 29) / (side * side * side)) }

    var tiles: Int { threads }

    var operations: Double { 2 * Double(side * side * side * repetitions * threads) }

    func run(tile: Int, thread: Int) {
      func matrix(_ index: Int) -> Matrix {
        Matrix(matrices.buffer, offset: (3 * tile + index) * side * side, rows: side, columns: side)
      }
      for _ in 0..<repetitions { GEMM.multiply(a: matrix(0), b: matrix(1), c: matrix(2)) }
    }
  }
}
