import CZlib
import Foundation
import Orders

/// A packed set that is mapped into memory: the system reads what is touched, keeps it as long as there is room, and
/// shares it among the ranks of a host.
///
/// Sendable because nothing changes after `init`: the mapping is read-only, and ends with this object.
package final class PackedFile: @unchecked Sendable {
  /// Where it is, for messages.
  package let path: String
  let header: PackedFormat.Header
  private let descriptor: Int32
  private let base: UnsafeRawPointer
  private let bytes: Int

  /// Maps the file at `path`, and checks its header, length and index; pixels are checked when they are read.
  ///
  /// - Throws: when the file cannot be read, is no packed set, or damaged.
  package init(contentsOf path: String) throws(DatasetError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: systemReason()) }
    var isKept = false
    defer { if !isKept { close(descriptor) } }
    let length = try Self.length(descriptor, path: path)
    var beginning = [UInt8](repeating: 0, count: min(PackedFormat.headerBytes, length))
    let got = pread(descriptor, &beginning, beginning.count, 0)
    guard got == beginning.count else { throw .unreadable(path: path, reason: systemReason()) }
    header = try PackedFormat.Header(beginning, path: path)
    guard length >= header.fileBytes else {
      throw .truncated(path: path, expectedBytes: header.fileBytes, foundBytes: length)
    }
    guard length == header.fileBytes else {
      throw .trailingBytes(path: path, offset: header.fileBytes, count: length - header.fileBytes)
    }
    guard let mapping = mmap(nil, length, PROT_READ, MAP_SHARED, descriptor, 0), mapping != MAP_FAILED else {
      throw .unreadable(path: path, reason: systemReason())
    }
    isKept = true
    base = UnsafeRawPointer(mapping)
    self.path = path
    self.descriptor = descriptor
    bytes = length

    let index = UnsafeRawBufferPointer(start: base + header.indexOffset, count: length - header.indexOffset)
    let checksum = UInt32(
      crc32_z(0, index.baseAddress?.assumingMemoryBound(to: UInt8.self), z_size_t(index.count)))
    guard checksum == header.indexChecksum else {
      throw .damagedPart(path: path, part: "index", offset: header.indexOffset)
    }
  }

  deinit {
    munmap(UnsafeMutableRawPointer(mutating: base), bytes)
    close(descriptor)
  }

  /// What the index says of `record`; nil where it says what cannot be.
  func entry(_ record: Int) -> PackedFormat.Entry? {
    let place = base + header.indexOffset + record * PackedFormat.entryBytes
    let split = place.load(fromByteOffset: 5, as: UInt8.self)
    guard split <= 1 else { return nil }
    return PackedFormat.Entry(
      checksum: UInt32(littleEndian: place.loadUnaligned(as: UInt32.self)),
      label: place.load(fromByteOffset: 4, as: UInt8.self), split: split == 0 ? .train : .test)
  }

  /// Lends the pixels of `record`, [row, column, channel], to `body`, after comparing them with their checksum.
  ///
  /// - Throws: when they are damaged, or the file has been cut short since it was opened.
  func read<Result>(_ record: Int, _ body: (Span<UInt8>) -> Result) throws(DatasetError) -> Result {
    precondition(record >= 0 && record < header.records, "PackedFile: record \(record) of \(header.records)")
    // Beyond the end of a file that has become shorter, the system would end the process.
    let length = try Self.length(descriptor, path: path)
    guard length >= bytes else { throw .truncated(path: path, expectedBytes: bytes, foundBytes: length) }
    let offset = PackedFormat.firstRecord + record * header.recordBytes
    let pixels = UnsafeBufferPointer(
      start: (base + offset).assumingMemoryBound(to: UInt8.self), count: header.recordBytes)
    let checksum = UInt32(crc32_z(0, pixels.baseAddress, z_size_t(pixels.count)))
    guard let expected = entry(record)?.checksum, checksum == expected else {
      throw .damagedRecord(path: path, record: record, offset: offset)
    }
    return body(Span(_unsafeElements: pixels))
  }

  /// Has the system read `record` ahead of its use.
  func willNeed(_ record: Int) {
    let offset = PackedFormat.firstRecord + record * header.recordBytes
    let page = Int(getpagesize())
    let start = offset / page * page
    // A hint: what comes of it is noticed when the record is read.
    madvise(UnsafeMutableRawPointer(mutating: base + start), offset + header.recordBytes - start, MADV_WILLNEED)
  }

  private static func length(_ descriptor: Int32, path: String) throws(DatasetError) -> Int {
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .unreadable(path: path, reason: "not a regular file") }
    return Int(status.st_size)
  }
}

private func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
