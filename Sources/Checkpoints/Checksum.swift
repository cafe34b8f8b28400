import CZlib
import Foundation
import Tensors

/// The CRC-32 of some bytes, written as eight hexadecimal digits.
///
/// It finds every flipped bit and every burst of up to 32 bits; it is no protection against intent.
package struct Checksum: Equatable, Sendable, Codable, CustomStringConvertible {
  package let value: UInt32

  init(of data: Data) {
    value = data.withUnsafeBytes { bytes in
      UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
  }

  /// Of the bytes of the elements of `range` of `buffer`.
  package init(of buffer: FloatBuffer, in range: Range<Int>) {
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count, "Checksum: range \(range)")
    let bytes = UnsafeRawBufferPointer(UnsafeBufferPointer(start: buffer.base + range.lowerBound, count: range.count))
    value = UInt32(
      truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard text.count == 8, let value = UInt32(text, radix: 16) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a checksum")
    }
    self.value = value
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  package var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
