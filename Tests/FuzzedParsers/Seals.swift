import Compression
import TensorFlowFormats

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

  /// A `.npz` file's, of each stored member: in the directory, which begins behind the members.
  static func npz(_ bytes: [UInt8]) -> [UInt8]? {
    func integer(_ offset: Int, _ count: Int) -> Int {
      bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    var sealed = bytes
    var start = 0
    while start + 46 <= bytes.count {
      guard bytes[start..<(start + 4)] == [0x50, 0x4B, 1, 2] else {
        start += 1
        continue
      }
      let header = integer(start + 42, 4)
      let count = integer(start + 24, 4)
      if header + 30 <= bytes.count {
        let first = header + 30 + integer(header + 26, 2) + integer(header + 28, 2)
        if first + count <= bytes.count {
          let checksum = Checksum.of(Array(bytes[first..<(first + count)]))
          for byte in 0..<4 { sealed[start + 16 + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
        }
      }
      start += 46
    }
    return sealed
  }

  /// A packed set's: of its records in the index, of the index in the header, and of the header.
  static func packed(_ bytes: [UInt8]) -> [UInt8]? {
    guard bytes.count >= 64 else { return nil }
    var sealed = bytes
    func integer(_ offset: Int, _ count: Int) -> Int {
      sealed[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
    }
    func write(_ checksum: UInt32, at offset: Int) {
      for byte in 0..<4 { sealed[offset + byte] = UInt8(truncatingIfNeeded: checksum >> (8 * byte)) }
    }
    let recordBytes = integer(12, 4) &* integer(16, 4) &* integer(20, 4)
    let index = integer(48, 8)
    if index >= 4096 && index <= sealed.count {
      for (record, entry) in stride(from: index, through: sealed.count - 8, by: 8).enumerated() {
        let (offset, overflow) = record.multipliedReportingOverflow(by: recordBytes)
        guard !overflow, recordBytes > 0, offset >= 0, offset < index, recordBytes <= index - 4096 - offset else {
          break
        }
        write(Checksum.of(Array(sealed[(4096 + offset)..<(4096 + offset + recordBytes)])), at: entry)
      }
      write(Checksum.of(Array(sealed[index...])), at: 56)
    }
    write(Checksum.of(Array(sealed[..<60])), at: 60)
    return sealed
  }

  /// Those of TFRecords: of each record's length and bytes. A length that is not in the file is made that of the rest.
  static func records(_ bytes: [UInt8]) -> [UInt8]? {
    var sealed: [UInt8] = []
    var rest = bytes[...]
    while rest.count >= 16 {
      let length = rest.prefix(8).reversed().reduce(0 as UInt64) { $0 << 8 | UInt64($1) }
      let count = length <= UInt64(rest.count - 16) ? Int(length) : rest.count - 16
      sealed += RecordFrame.around(Array(rest.dropFirst(12).prefix(count)))
      rest = rest.dropFirst(16 + count)
    }
    return sealed + rest
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
