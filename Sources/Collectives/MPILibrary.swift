import COpenMPI

/// The MPI library that this program runs with.
public enum MPILibrary {
  /// Its name and version, such as `Open MPI v4.1.4`; known also without any ranks.
  public static var version: String {
    var length: Int32 = 0
    var characters = [CChar](repeating: 0, count: Int(lmconv_mpi_max_library_version_string()))
    guard MPI_Get_library_version(&characters, &length) == lmconv_mpi_success() else { return "unknown" }
    let text = String(decoding: characters.prefix(Int(length)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    // Open MPI goes on with who built it, where and when.
    return String(text.prefix { $0 != "," && $0 != "\n" && $0 != "\0" })
  }
}
