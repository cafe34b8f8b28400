import Orders

/// The format of MNIST's files: big-endian integers of 4 bytes (a magic number that says the kind, the count, for images
/// their rows and columns), then one byte for each element.
package enum IDX {
  /// Images of one channel.
  package struct Images {
    package let size: ImageSize
    package let count: Int
    /// [image, row, column]
    package let pixels: [UInt8]
  }

  private static let imagesMagic: UInt32 = 0x0000_0803
  private static let labelsMagic: UInt32 = 0x0000_0801
  private static let possibleCounts = 1...100_000_000
  private static let possibleSides = 1...1024

  /// The images in the file `bytes`; `path` is used in messages.
  package static func images(_ bytes: [UInt8], path: String) throws(DatasetError) -> Images {
    let headerBytes = 16
    try checkHeader(bytes, magic: imagesMagic, headerBytes: headerBytes, path: path)
    let count = try size(bytes, at: 4, of: "images", in: possibleCounts, path: path)
    let rows = try size(bytes, at: 8, of: "rows", in: possibleSides, path: path)
    let columns = try size(bytes, at: 12, of: "columns", in: possibleSides, path: path)
    try checkLength(bytes, expected: headerBytes + count * rows * columns, path: path)
    return Images(
      size: ImageSize(rows: rows, columns: columns), count: count, pixels: Array(bytes[headerBytes...]))
  }

  /// The labels, 0 to 9, in the file `bytes`; `path` is used in messages.
  package static func labels(_ bytes: [UInt8], path: String) throws(DatasetError) -> [UInt8] {
    let headerBytes = 8
    try checkHeader(bytes, magic: labelsMagic, headerBytes: headerBytes, path: path)
    let count = try size(bytes, at: 4, of: "labels", in: possibleCounts, path: path)
    try checkLength(bytes, expected: headerBytes + count, path: path)
    for offset in headerBytes..<bytes.count where bytes[offset] > 9 {
      throw .labelOutOfRange(path: path, offset: offset, image: offset - headerBytes, found: bytes[offset])
    }
    return Array(bytes[headerBytes...])
  }

  private static func checkHeader(
    _ bytes: [UInt8], magic: UInt32, headerBytes: Int, path: String
  ) throws(DatasetError) {
    // The magic number first: of a short file that is something else altogether, it says more than the length.
    if bytes.count >= 4 {
      let found = integer(bytes, at: 0)
      guard found == magic else { throw .wrongMagic(path: path, expected: magic, found: found) }
    }
    guard bytes.count >= headerBytes else {
      throw .truncated(path: path, expectedBytes: headerBytes, foundBytes: bytes.count)
    }
  }

  private static func size(
    _ bytes: [UInt8], at offset: Int, of quantity: String, in possible: ClosedRange<Int>, path: String
  ) throws(DatasetError) -> Int {
    let found = Int(integer(bytes, at: offset))
    guard possible.contains(found) else {
      throw .impossibleSize(path: path, offset: offset, quantity: quantity, expected: possible, found: found)
    }
    return found
  }

  private static func checkLength(_ bytes: [UInt8], expected: Int, path: String) throws(DatasetError) {
    guard bytes.count >= expected else {
      throw .truncated(path: path, expectedBytes: expected, foundBytes: bytes.count)
    }
    guard bytes.count == expected else {
      throw .trailingBytes(path: path, offset: expected, count: bytes.count - expected)
    }
  }

  private static func integer(_ bytes: [UInt8], at offset: Int) -> UInt32 {
    bytes[offset..<(offset + 4)].reduce(0) { $0 << 8 | UInt32($1) }
  }
}
