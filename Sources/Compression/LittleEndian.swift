/// Appends numbers to bytes, least significant byte first.
struct LittleEndianWriter {
  private(set) var bytes: [UInt8] = []

  mutating func write<Value: FixedWidthInteger>(_ value: Value) {
    for index in 0..<(Value.bitWidth / 8) { bytes.append(UInt8(truncatingIfNeeded: value >> (8 * index))) }
  }

  mutating func write(_ more: [UInt8]) { bytes += more }
}

/// Takes numbers from the front of bytes, least significant byte first.
struct LittleEndianReader {
  private let bytes: ArraySlice<UInt8>
  /// Index of the next byte.
  private(set) var position: Int

  init(_ bytes: ArraySlice<UInt8>) {
    self.bytes = bytes
    position = bytes.startIndex
  }

  /// Bytes that are left.
  var left: Int { bytes.endIndex - position }

  /// The next number; nil where the bytes end before.
  mutating func read<Value: FixedWidthInteger>(_ type: Value.Type) -> Value? {
    guard let part = read(count: Value.bitWidth / 8) else { return nil }
    return part.enumerated().reduce(0) { $0 | Value(truncatingIfNeeded: $1.element) << (8 * $1.offset) }
  }

  /// The next `count` bytes; nil where there are not as many.
  mutating func read(count: Int) -> [UInt8]? {
    guard count <= left else { return nil }
    defer { position += count }
    return Array(bytes[position..<(position + count)])
  }
}
