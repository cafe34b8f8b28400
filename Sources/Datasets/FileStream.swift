import CZlib
import Foundation

/// A file that is read from its beginning to its end, piece by piece.
final class FileStream {
  private let path: String
  private let descriptor: Int32
  private var checksum: UInt = 0
  private var bytesRead = 0
  private let length: Int

  /// Opens the regular file at `path`.
  ///
  /// - Throws: when it cannot be opened, or is no regular file.
  init(path: String) throws(DatasetError) {
    self.path = path
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: Self.systemReason()) }
    var status = stat()
    guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      let reason = status.st_mode == 0 ? Self.systemReason() : "not a regular file"
      close(descriptor)
      throw .unreadable(path: path, reason: reason)
    }
    length = Int(status.st_size)
    posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL)
  }

  deinit { close(descriptor) }

  /// The next `count` bytes, or as many as there are.
  ///
  /// - Throws: when the system cannot read them.
  func read(_ count: Int) throws(DatasetError) -> [UInt8] {
    // A damaged length may be anything; the file's is known.
    var bytes = [UInt8](repeating: 0, count: min(count, max(0, length - bytesRead)))
    var filled = 0
    while filled < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadable(path: path, reason: Self.systemReason()) }
      // It has become shorter.
      if got == 0 { break }
      filled += got
    }
    bytes.removeLast(bytes.count - filled)
    bytesRead += filled
    checksum = bytes.withUnsafeBufferPointer { crc32_z(checksum, $0.baseAddress, z_size_t($0.count)) }
    return bytes
  }

  /// What was read so far, as the file called `name`.
  func file(name: String) -> DataFile { DataFile(name: name, bytes: bytesRead, checksum: UInt32(checksum)) }

  private static func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
}
