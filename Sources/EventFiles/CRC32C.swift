/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which zlib does not have, and its masked form in TensorFlow's record files.
package enum CRC32C {
  /// Remainders of all bytes for the reflected polynomial 0x82F63B78.
  private static let table: [UInt32] = (0..<256).map { byte in
    var remainder = UInt32(byte)
    for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1 }
    return remainder
  }

  /// The checksum of `bytes`.
  package static func of(_ bytes: some Sequence<UInt8>) -> UInt32 {
    var remainder = UInt32.max
    for byte in bytes { remainder = remainder >> 8 ^ table[Int(UInt8(truncatingIfNeeded: remainder) ^ byte)] }
    return ~remainder
  }

  /// The checksum that a record file holds: rotated by 15 bits and offset, so that a checksum of data that holds its own
  /// checksum is no constant.
  package static func masked(_ bytes: some Sequence<UInt8>) -> UInt32 {
    let checksum = of(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
