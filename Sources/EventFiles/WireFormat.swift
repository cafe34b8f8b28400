/// A protocol buffer message being written: the fields that event files have, in the wire format of protobuf.dev,
/// "Encoding". docs/seeing.md says why no library does it.
struct WireMessage {
  private(set) var bytes: [UInt8] = []

  /// Kinds of fields, the low bits of a field's tag.
  private enum WireType: UInt64 {
    case varint = 0
    case fixed64 = 1
    case lengthDelimited = 2
    case fixed32 = 5
  }

  /// `value` as int32, int64 or an enumeration; negative ones take ten bytes.
  mutating func append(_ field: Int, integer value: Int) {
    append(tag: field, .varint)
    append(varint: UInt64(bitPattern: Int64(value)))
  }

  mutating func append(_ field: Int, double value: Double) {
    append(tag: field, .fixed64)
    append(littleEndian: value.bitPattern)
  }

  mutating func append(_ field: Int, float value: Float) {
    append(tag: field, .fixed32)
    append(littleEndian: value.bitPattern)
  }

  /// `value` as bytes, or as a message within this one.
  mutating func append(_ field: Int, bytes value: [UInt8]) {
    append(tag: field, .lengthDelimited)
    append(varint: UInt64(value.count))
    bytes += value
  }

  mutating func append(_ field: Int, text value: String) { append(field, bytes: Array(value.utf8)) }

  mutating func append(_ field: Int, _ message: WireMessage) { append(field, bytes: message.bytes) }

  /// `values` as a packed repeated field.
  mutating func append(_ field: Int, packed values: [Double]) {
    append(tag: field, .lengthDelimited)
    append(varint: UInt64(values.count * MemoryLayout<Double>.size))
    for value in values { append(littleEndian: value.bitPattern) }
  }

  private mutating func append(tag field: Int, _ type: WireType) { append(varint: UInt64(field) << 3 | type.rawValue) }

  private mutating func append(varint value: UInt64) {
    var rest = value
    while rest > 0x7F {
      bytes.append(UInt8(rest & 0x7F) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(rest))
  }

  private mutating func append(littleEndian value: some FixedWidthInteger) {
    withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
  }
}
