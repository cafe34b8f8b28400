/// A record of a TFRecord file: the length, its checksum, the bytes, their checksum; integers are little-endian.
package enum RecordFrame {
  /// The frame around `payload`.
  package static func around(_ payload: [UInt8]) -> [UInt8] {
    let length = bytes(UInt64(payload.count))
    return length + bytes(CRC32C.masked(length[...])) + payload + bytes(CRC32C.masked(payload[...]))
  }

  /// The little-endian number in `bytes`, at most eight.
  static func integer(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  private static func bytes(_ value: some FixedWidthInteger) -> [UInt8] {
    withUnsafeBytes(of: value.littleEndian) { Array($0) }
  }
}
