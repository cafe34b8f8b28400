import CZlib

/// CRC-32: finds every flipped bit, every burst of up to 32 bits, and all but one in 2^32 of other changes.
package enum Checksum {
  /// The checksum of `bytes`.
  package static func of(_ bytes: [UInt8]) -> UInt32 {
    UInt32(truncatingIfNeeded: bytes.withUnsafeBufferPointer { crc32_z(0, $0.baseAddress, z_size_t($0.count)) })
  }
}
