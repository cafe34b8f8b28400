import CZlib
import Foundation
import Orders

/// Writes a packed set, image after image, without holding more than one buffer of them. The file appears when it is
/// complete: until then it has another name, and is removed if it is not finished.
final class PackedWriter {
  private static let bufferBytes = 1 << 22

  private let path: String
  private let temporary: String
  private let descriptor: Int32
  private var header: PackedFormat.Header

  /// Images written so far.
  var images: Int { header.records }
  /// A split without images, if there is one.
  var emptySplit: Split? { header.train == 0 ? .train : header.test == 0 ? .test : nil }
  private var index: [UInt8] = []
  private var buffer: [UInt8] = []
  private var isFinished = false

  /// Begins the file at `path`, of images of `size` and `channels`.
  ///
  /// - Throws: when it cannot be written.
  init(path: String, size: ImageSize, channels: Int) throws(DatasetError) {
    self.path = path
    temporary = "\(path).\(getpid()).temporary"
    header = PackedFormat.Header(size: size, channels: channels)
    descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: Self.systemReason()) }
    buffer = [UInt8](repeating: 0, count: PackedFormat.firstRecord)
  }

  deinit {
    close(descriptor)
    if !isFinished { unlink(temporary) }
  }

  /// Adds the images `pixels`, [image, row, column, channel], of `split`, with their `labels`.
  ///
  /// - Throws: when they cannot be written.
  func append(_ pixels: ArraySlice<UInt8>, labels: ArraySlice<UInt8>, split: Split) throws(DatasetError) {
    precondition(pixels.count == labels.count * header.recordBytes, "PackedWriter: \(pixels.count), \(labels.count)")
    var start = pixels.startIndex
    for label in labels {
      let image = Array(pixels[start..<(start + header.recordBytes)])
      start += header.recordBytes
      index += PackedFormat.Entry(checksum: PackedFormat.checksum(of: image), label: label, split: split).encoded
      if split == .train {
        header.train += 1
        header.trainHash = PackedFormat.checksum(of: image, after: header.trainHash)
      } else {
        header.test += 1
        header.testHash = PackedFormat.checksum(of: image, after: header.testHash)
      }
      buffer += image
      if buffer.count >= Self.bufferBytes { try flush() }
    }
  }

  /// Completes the file.
  ///
  /// - Throws: when it cannot be written.
  func finish() throws(DatasetError) {
    header.trainHash = contentHash(images: header.train, pixels: header.trainHash)
    header.testHash = contentHash(images: header.test, pixels: header.testHash)
    header.indexChecksum = PackedFormat.checksum(of: index)
    buffer += index
    try flush()
    let encoded = header.encoded
    guard pwrite(descriptor, encoded, encoded.count, 0) == encoded.count, fsync(descriptor) == 0,
      rename(temporary, path) == 0
    else { throw .unwritable(path: path, reason: Self.systemReason()) }
    isFinished = true
  }

  /// What was written, and what was left out.
  func summary(skipped: [BadPicture]) -> PackedSet.Summary {
    PackedSet.Summary(
      size: header.size, channels: header.channels, train: header.train, test: header.test, bytes: header.fileBytes,
      skipped: skipped)
  }

  /// `ImageDataset.contentHash` from the CRC-32 of all pixels, which is known only when the number of images is.
  private func contentHash(images: Int, pixels: UInt32) -> UInt32 {
    let sizes = ImageDataset.hash(
      sizes: [images, header.size.rows, header.size.columns, header.channels], pixels: [])
    return UInt32(crc32_combine(UInt(sizes), UInt(pixels), images * header.recordBytes))
  }

  private func flush() throws(DatasetError) {
    var written = 0
    while written < buffer.count {
      let count = buffer.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw .unwritable(path: path, reason: Self.systemReason()) }
      written += count
    }
    buffer.removeAll(keepingCapacity: true)
  }

  private static func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
}
