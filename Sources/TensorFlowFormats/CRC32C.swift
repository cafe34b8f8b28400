/// CRC-32C (Castagnoli, RFC 3720 appendix B.4), which zlib does not have, and its masked form in TensorFlow's record files.
package enum CRC32C {
  /// Remainders for the reflected polynomial 0x82F63B78: `tables[256 * n + byte]` is that of `byte` with n zero bytes behind
  /// it, so that eight bytes are looked up at once ("slicing by 8", Kounavis and Berry 2005).
  private static let tables: [UInt32] = {
    var tables = (0..<256).map { byte in
      var remainder = UInt32(byte)
      for _ in 0..<8 { remainder = remainder & 1 == 1 ? remainder >> 1 ^ 0x82F6_3B78 : remainder >> 1 }
      return remainder
    }
    for index in 256..<(8 * 256) {
      let shorter = tables[index - 256]
      tables.append(shorter >> 8 ^ tables[Int(shorter & 0xFF)])
    }
    return tables
  }()

  /// The checksum of `bytes`.
  package static func of(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    tables.withUnsafeBufferPointer { tables in
      bytes.withUnsafeBytes { bytes in
        func remainder(_ byte: UInt32, zeros: Int) -> UInt32 { tables[256 * zeros + Int(byte & 0xFF)] }
        var sum = UInt32.max
        var place = 0
        while place + 8 <= bytes.count {
          let low = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place, as: UInt32.self)) ^ sum
          let high = UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: place + 4, as: UInt32.self))
          sum =
            remainder(low, zeros: 7) ^ remainder(low >> 8, zeros: 6) ^ remainder(low >> 16, zeros: 5)
            ^ remainder(low >> 24, zeros: 4) ^ remainder(high, zeros: 3) ^ remainder(high >> 8, zeros: 2)
            ^ remainder(high >> 16, zeros: 1) ^ remainder(high >> 24, zeros: 0)
          place += 8
        }
        while place < bytes.count {
          sum = sum >> 8 ^ remainder(sum ^ UInt32(bytes[place]), zeros: 0)
          place += 1
        }
        return ~sum
      }
    }
  }

  /// The checksum that a record file holds: rotated by 15 bits and offset, so that a checksum of data that holds its own
  /// checksum is no constant.
  package static func masked(_ bytes: ArraySlice<UInt8>) -> UInt32 {
    let checksum = of(bytes)
    return (checksum >> 15 | checksum << 17) &+ 0xA282_EAD8
  }
}
