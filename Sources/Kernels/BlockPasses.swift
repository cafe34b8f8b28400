import Tensors

/// What a gated block does to its activations between two products, in one pass over the rows where they are passed on. A
/// pass by itself waits for memory: a network's activations do not fit in a cache.
///
/// 4,096 rows of 160 channels that come out of memory, PONO, one core of an AMD EPYC (Zen 4), one pass after the other and
/// together: `normalizeAndActivate` 0.74 and 0.67 ms, `normalizeAndGate` with `activated` 1.69 and 1.07 ms,
/// `backwardThenActivate` 1.32 and 0.82 ms. Out of the third-level cache nothing is gained.
public enum BlockPasses {
  /// Normalizes x `[rows, F]` in place, then writes concat_elu(x) to y `[rows, 2F]`.
  public static func normalizeAndActivate(
    _ normalization: LocationNormalization, x: Matrix, counts: [Int32], scale: Matrix, keep: Matrix?, y: Matrix,
    pool: ThreadPool
  ) {
    pool.run(
      RowSequence(
        normalization.forwardRows(x: x, columns: x.columns, counts: counts, scale: scale),
        ConcatELU.forwardRows(x: x, keep: keep, y: y)))
  }

  /// Normalizes p, the first half of d `[rows, 2F]`, in place, then writes out = x + p * sigmoid(q) `[rows, F]` and, for
  /// the block that follows, concat_elu(out) to `activated` `[rows, 2F]`.
  public static func normalizeAndGate(
    _ normalization: LocationNormalization, x: Matrix, d: Matrix, counts: [Int32], scale: Matrix, out: Matrix,
    activated: Matrix?, pool: ThreadPool
  ) {
    let gate = RowSequence(
      normalization.forwardRows(x: d, columns: x.columns, counts: counts, scale: scale),
      Gate.forwardRows(x: x, d: d, out: out))
    if let activated {
      pool.run(RowSequence(gate, ConcatELU.forwardRows(x: out, y: activated)))
    } else {
      pool.run(gate)
    }
  }

  /// Overwrites dX `[rows, F]` with the gradient of concat_elu(x) `wide` `[rows, 2F]`, takes it through the backward of
  /// `normalization`, which made y, and overwrites `wide` with concat_elu(next).
  public static func backwardThenActivate(
    x: Matrix, keep: Matrix?, dX: Matrix, normalization: LocationNormalization, y: Matrix, scale: Matrix, next: Matrix,
    wide: Matrix, pool: ThreadPool
  ) {
    pool.run(
      RowSequence(
        RowSequence(
          ConcatELU.backwardRows(x: x, dy: wide, keep: keep, adds: false, dx: dX),
          normalization.backwardRows(y: y, columns: y.columns, scale: scale, dy: dX)),
        ConcatELU.forwardRows(x: next, y: wide)))
  }
}
