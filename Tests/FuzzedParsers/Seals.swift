import Compression

/// The checksums inside files, made to fit whatever the rest is.
enum Seals {
  /// A PNG file's: the CRC after each chunk, which begins with its length and name.
  static func png(_ bytes: [UInt8]) -> [UInt8]? {
    var sealed = bytes
    var start = 8
    while start + 12 <= sealed.count {
      let length = sealed[start..<(start + 4)].reduce(0) { $0 << 8 | Int($1) }
      let end = start + 8 + length
      guard end + 4 <= sealed.count else { break }
      let checksum = Checksum.of(Array(sealed[(start + 4)..<end]))
      for byte in 0..<4 { sealed[end + byte] = UInt8(truncatingIfNeeded: checksum >> (24 - 8 * byte)) }
      start = end + 4
    }
    return sealed
  }

  /// That of the header of compressed images, at the end of as many bytes as the header announces.
  static func compressedImages(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 14 else { return nil }
    let announced = bytes[10..<14].reversed().reduce(0) { $0 << 8 | Int($1) }
    guard announced >= 18 && announced <= bytes.count else { return nil }
    var sealed = bytes
    let checksum = Checksum.of(Array(sealed[..<(announced - 4)]))
    for byte in 0..<4 { sealed[announced - 4 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
    return sealed
  }
}
