import COpenBLAS
import Tensors

/// The matrix product of OpenBLAS: what our own kernels are checked against and measured against. Nothing else calls
/// OpenBLAS.
public enum GEMM {
  /// c = a * b for a `[m, k]`, b `[k, n]` and c `[m, n]`, which is overwritten.
  public static func multiply(a: Matrix, b: Matrix, c: Matrix) {
    precondition(
      a.columns == b.rows && c.rows == a.rows && c.columns == b.columns,
      "GEMM: [\(a.rows), \(a.columns)] times [\(b.rows), \(b.columns)] into [\(c.rows), \(c.columns)]")
    // BLAS wants a row's length of at least 1, even where there are no elements.
    cblas_sgemm(
      CblasRowMajor, CblasNoTrans, CblasNoTrans, blasint(c.rows), blasint(c.columns), blasint(a.columns), 1, a.base,
      blasint(max(a.columns, 1)), b.base, blasint(max(b.columns, 1)), 0, c.base, blasint(max(c.columns, 1)))
  }

  /// Version and build of the library, such as `OpenBLAS 0.3.21 NO_AFFINITY Haswell`.
  public static var library: String {
    openblas_get_config().map { String(cString: $0) } ?? "OpenBLAS"
  }

  /// Keeps the whole process's OpenBLAS to the thread that calls it.
  public static func useOneThread() { openblas_set_num_threads(1) }
}
