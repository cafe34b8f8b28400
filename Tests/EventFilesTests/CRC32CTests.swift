import EventFiles
import Testing

struct CRC32CTests {
  /// RFC 3720, appendix B.4, and the check value of the catalogue of parametrised CRC algorithms.
  @Test func publishedValuesComeOut() {
    #expect(CRC32C.of([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(CRC32C.of([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(CRC32C.of((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    #expect(CRC32C.of("123456789".utf8) == 0xE306_9283)
    #expect(CRC32C.of([]) == 0)
  }

  /// Event files of TensorFlow begin with these bytes: the length 24 of the version record, and its masked checksum.
  @Test func aFrameBeginsAsTensorFlowWritesIt() {
    let frame = RecordFrame.around([UInt8](repeating: 7, count: 24))
    #expect(frame.prefix(12) == [0x18, 0, 0, 0, 0, 0, 0, 0, 0xA3, 0x7F, 0x4B, 0x22])
    #expect(frame.count == 24 + 16)
  }
}
