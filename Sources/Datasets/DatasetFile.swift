import CZlib
import Foundation

/// Reads whole files into memory, and unpacks gzip.
package enum DatasetFile {
  /// The largest file, packed or unpacked: all of CIFAR-10 and the largest sets in MNIST's format fit, while a small
  /// archive that unpacks to very much is refused before it fills the memory.
  package static let limitBytes = 1 << 30

  /// The bytes of the file at `path`, unpacked if its name ends in `.gz`.
  package static func bytes(at path: String) throws(DatasetError) -> [UInt8] {
    var files: [DataFile] = []
    return try bytes(at: path, &files)
  }

  /// The bytes of the file at `path`, unpacked if its name ends in `.gz`. What was read is added to `files`.
  package static func bytes(at path: String, _ files: inout [DataFile]) throws(DatasetError) -> [UInt8] {
    let bytes = try read(path)
    files.append(DataFile(path: path, contents: bytes))
    return path.hasSuffix(".gz") ? try unpack(bytes, path: path) : bytes
  }

  /// The bytes of the file at `path` as they are. What was read is added to `files` as `name`.
  static func contents(at path: String, name: String, _ files: inout [DataFile]) throws(DatasetError) -> [UInt8] {
    let bytes = try read(path)
    files.append(DataFile(name: name, contents: bytes))
    return bytes
  }

  /// The bytes of the file at `path` as they are.
  private static func read(_ path: String) throws(DatasetError) -> [UInt8] {
    // Without O_NONBLOCK, opening a named pipe would wait for a writer.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a regular file") }
    guard status.st_size <= limitBytes else { throw .tooLarge(path: path, limitBytes: limitBytes) }

    var bytes = [UInt8](repeating: 0, count: Int(status.st_size))
    var filled = 0
    while filled < bytes.count {
      let got = bytes.withUnsafeMutableBytes {
        Foundation.read(descriptor, $0.baseAddress?.advanced(by: filled), $0.count - filled)
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
      if got == 0 { break }
      filled += got
    }
    bytes.removeLast(bytes.count - filled)
    return bytes
  }

  /// The contents of the gzip file `packed`: those of all its members, one after the other. `path` is used in messages.
  package static func unpack(
    _ packed: [UInt8], path: String, limitBytes: Int = limitBytes
  ) throws(DatasetError) -> [UInt8] {
    guard packed.starts(with: [0x1f, 0x8b]) else { throw .notGzip(path: path, found: Array(packed.prefix(2))) }

    // zlib keeps the address of the stream that it was given, so the stream needs one that does not change.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let gzipWindowBits: Int32 = 15 + 16  // the largest window; 16 asks for gzip's header and checksum
    let status = inflateInit2_(stream, gzipWindowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    guard status == Z_OK else { throw .unreadable(path: path, reason: reason(stream, status)) }
    defer { inflateEnd(stream) }

    var unpacked: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 18)
    // `read` keeps files below 2^32 bytes, the range of zlib's counters.
    return try packed.withUnsafeBufferPointer { (input) throws(DatasetError) -> [UInt8] in
      stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      stream.pointee.avail_in = UInt32(input.count)
      while true {
        let status = chunk.withUnsafeMutableBufferPointer { output in
          stream.pointee.next_out = output.baseAddress
          stream.pointee.avail_out = UInt32(output.count)
          return inflate(stream, Z_NO_FLUSH)
        }
        unpacked.append(contentsOf: chunk[..<(chunk.count - Int(stream.pointee.avail_out))])
        guard unpacked.count <= limitBytes else { throw .tooLarge(path: path, limitBytes: limitBytes) }
        let rest = Int(stream.pointee.avail_in)
        switch status {
        case Z_OK: continue
        case Z_STREAM_END where rest == 0: return unpacked
        case Z_STREAM_END: inflateReset(stream)
        case Z_BUF_ERROR: throw .truncatedGzip(path: path, bytes: packed.count)
        default: throw .damagedGzip(path: path, offset: packed.count - rest, reason: reason(stream, status))
        }
      }
    }
  }

  private static func reason(_ stream: UnsafeMutablePointer<z_stream>, _ status: Int32) -> String {
    stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
  }

  private static func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
}
