import CZlib
import Foundation

/// The CRC-32 of some bytes, written as eight hexadecimal digits.
///
/// It finds every flipped bit and every burst of up to 32 bits; it is no protection against intent.
struct Checksum: Equatable, Sendable, Codable, CustomStringConvertible {
  let value: UInt32

  init(of data: Data) {
    value = data.withUnsafeBytes { bytes in
      UInt32(truncatingIfNeeded: crc32_z(0, bytes.bindMemory(to: UInt8.self).baseAddress, bytes.count))
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let text = try container.decode(String.self)
    guard text.count == 8, let value = UInt32(text, radix: 16) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "'\(text)' is not a checksum")
    }
    self.value = value
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }

  var description: String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
