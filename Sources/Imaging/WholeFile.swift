import Foundation

// Files read and written as a whole, with the system's reason in every error.

/// All bytes of the file at `path`, which has at most `limit`.
func readFile(_ path: String, limit: Int) throws(PNGError) -> [UInt8] {
  func refused(_ operation: String) -> PNGError {
    .inaccessible(path: path, operation: operation, reason: String(cString: strerror(errno)))
  }
  let file = open(path, O_RDONLY | O_CLOEXEC)
  guard file >= 0 else { throw refused("open") }
  defer { close(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  // Counted while reading, not by stat, which says nothing of pipes and of files that grow.
  while true {
    let count = read(file, &chunk, chunk.count)
    if count == 0 { return bytes }
    guard count > 0 else {
      if errno == EINTR { continue }
      throw refused("read")
    }
    guard bytes.count + count <= limit else {
      throw .tooLarge(path: path, found: "more than \(limit) bytes", limit: "\(limit) bytes")
    }
    bytes += chunk[..<count]
  }
}

/// Makes `bytes` the contents of the file at `path`, all at once: they are written to a temporary file in the same
/// folder, which then takes the name.
func replaceFile(_ path: String, with bytes: [UInt8]) throws(PNGError) {
  let temporary = "\(path).\(getpid()).temporary"
  func refused(_ operation: String) -> PNGError {
    .inaccessible(path: path, operation: operation, reason: String(cString: strerror(errno)))
  }
  let file = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
  guard file >= 0 else { throw refused("create") }
  var written = 0
  while written < bytes.count {
    let count = bytes.withUnsafeBytes { write(file, $0.baseAddress?.advanced(by: written), bytes.count - written) }
    guard count >= 0 else {
      if errno == EINTR { continue }
      let failure = refused("write")
      close(file)
      unlink(temporary)
      throw failure
    }
    written += count
  }
  guard close(file) == 0, rename(temporary, path) == 0 else {
    let failure = refused("write")
    unlink(temporary)
    throw failure
  }
}
