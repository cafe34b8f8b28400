import TensorFlowFormats
import Testing

struct CRC32CTests {
  /// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  @Test func publishedValuesComeOut() {
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)[...]) == 0x8A91_36AA)
    #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)[...]) == 0x62A8_AB43)
    #expect(CRC32C.of((0..<32).map { UInt8($0) }[...]) == 0x46DD_794E)
    #expect(CRC32C.of(Array("123456789".utf8)[...]) == 0xE306_9283)
    #expect(CRC32C.of([]) == 0)
  }

  /// Of any length, from any byte on.
  @Test func bytesAreDividedAsBitByBit() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 * $0 * 31 + 7) }
    for start in 0..<9 {
      for end in start..<bytes.count {
        var remainder = UInt32.max
        for byte in bytes[start..<end] {
          for bit in 0..<8 {
            let carries = (remainder ^ UInt32(byte >> UInt8(bit))) & 1 == 1
            remainder = remainder >> 1 ^ (carries ? 0x82F6_3B78 : 0)
          }
        }
        #expect(CRC32C.of(bytes[start..<end]) == ~remainder, "bytes \(start) to \(end)")
      }
    }
  }

  /// Event files of TensorFlow begin with these bytes: the length 24 of the version record, and its masked checksum.
  @Test func aFrameBeginsAsTensorFlowWritesIt() {
    let frame = RecordFrame.around([UInt8](repeating: 7, count: 24))
    #expect(frame.prefix(12) == [0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22])
    #expect(frame.count == 24 + 16)
  }
}
