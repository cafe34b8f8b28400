import Orders

/// Why images cannot be compressed, or a compressed file not be decompressed. Offsets count from 0.
public enum CompressionError: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file does not begin as compressed images do.
  case notCompressedImages(path: String, found: [UInt8])
  /// The file's format is another than this program's.
  case otherFormat(path: String, found: Int, supported: Int)
  /// The file ends within its header.
  case truncatedHeader(path: String, expectedBytes: Int, foundBytes: Int)
  /// The header's bytes changed.
  case changedHeader(path: String, expected: UInt32, found: UInt32)
  /// The header is whole but says what cannot be; no program of this format wrote it.
  case impossibleHeader(path: String, field: String)
  /// The file was compressed with another model.
  case otherModel(path: String, expected: ModelHash, found: ModelHash)
  /// The model is the same, but its outputs here are not those that the file was compressed with.
  case otherArithmetic(path: String, expected: UInt32, found: UInt32)
  /// Chunks are damaged; the file has `chunks`.
  case damagedChunks(path: String, [ChunkDamage], chunks: Int)
  /// The file goes on after its last chunk.
  case trailingBytes(path: String, offset: Int, count: Int)
  /// The model's output for a pixel of an image is not a number, so it describes no distribution.
  case notFinite(image: Int, row: Int, column: Int)
  /// The activations of the chunks that are worked on at once do not fit in this host's memory.
  case needsMemory(imagesPerChunk: Int, chunksAtOnce: Int, gigabytes: Int, available: Int)
  /// A rank was asked to stop.
  case interrupted(done: Int, of: Int)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .notCompressedImages(let path, let found):
      let bytes = found.map { hexadecimal(UInt32($0), digits: 2) }.joined(separator: " ")
      return "\(path): not a file of compressed images: it begins with \(bytes.isEmpty ? "nothing" : bytes)"
    case .otherFormat(let path, let found, let supported):
      return "\(path): compressed in format \(found), this program reads format \(supported); "
        + "use the program that wrote it, unless the file is damaged"
    case .truncatedHeader(let path, let expected, let found):
      return "\(path): truncated within its header: \(found) bytes, the header has \(expected)"
    case .changedHeader(let path, let expected, let found):
      return "\(path): the header is damaged: its checksum is \(hexadecimal(found, digits: 8)), "
        + "\(hexadecimal(expected, digits: 8)) was written; nothing can be decompressed"
    case .impossibleHeader(let path, let field): return "\(path): its header holds an impossible \(field)"
    case .otherModel(let path, let expected, let found):
      return "\(path): compressed with model \(expected), this model is \(found); use the checkpoint that it was "
        + "compressed with, and the same --weights"
    case .otherArithmetic(let path, let expected, let found):
      return
        "\(path): compressed where this model's outputs have checksum \(hexadecimal(expected, digits: 8)), here it "
        + "is \(hexadecimal(found, digits: 8)); use the build of this program that compressed it, on the same kind of "
        + "processor"
    case .damagedChunks(let path, let damages, let chunks):
      let named = damages.prefix(3).map(\.description).joined(separator: "; ")
      let more = damages.count > 3 ? "; and \(damages.count - 3) more" : ""
      return "\(path): \(damages.count) of \(chunks) chunks damaged: \(named)\(more)"
    case .trailingBytes(let path, let offset, let count):
      return "\(path):\(offset): \(count) bytes after the end of the last chunk"
    case .notFinite(let image, let row, let column):
      return
        "the model's output for image \(image) at (\(row), \(column)) is not finite; its parameters are damaged or "
        + "its training diverged"
    case .needsMemory(let images, let chunks, let needed, let available):
      return
        "\(chunks) chunks of \(images) images at once need \(needed) GB of memory, this host has \(available); use "
        + "fewer threads, or compress in smaller chunks"
    case .interrupted(let done, let total): return "stopped after \(done) of \(total) chunks; nothing was written"
    }
  }
}

/// A chunk that cannot be decompressed.
public struct ChunkDamage: Error, Hashable, Sendable, CustomStringConvertible {
  /// What is wrong with the chunk.
  public enum Cause: Hashable, Sendable {
    /// The file ends before the chunk does.
    case truncated(expectedBytes: Int, foundBytes: Int)
    /// The chunk's bytes changed.
    case changed(expected: UInt32, found: UInt32)
    /// The bytes are those that were written, but decode to other images.
    case otherImages
  }

  /// Number of the chunk.
  public let chunk: Int
  /// Images in it.
  public let images: Range<Int>
  /// Where in the file it begins.
  public let offset: Int
  /// What is wrong.
  public let cause: Cause

  /// Which chunk, and what is wrong with it.
  public var description: String {
    let place = "chunk \(chunk) at byte \(offset) (images \(images.lowerBound) to \(images.upperBound - 1))"
    switch cause {
    case .truncated(let expected, let found): return "\(place) has \(found) of its \(expected) bytes"
    case .changed(let expected, let found):
      return "\(place) has checksum \(hexadecimal(found, digits: 8)), \(hexadecimal(expected, digits: 8)) was written"
    case .otherImages:
      return "\(place) decodes to other images than were compressed; use the build of this program that compressed it"
    }
  }
}
