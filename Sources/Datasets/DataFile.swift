import CZlib

/// A file of a data set as it was read.
public struct DataFile: Sendable, Hashable, CustomStringConvertible {
  /// Name without folders; of a set in folders, the path from the set's own.
  public let name: String
  /// Size as it is on the disk, packed or not.
  public let bytes: Int
  /// CRC-32 of these bytes.
  public let checksum: UInt32

  init(path: String, contents: [UInt8]) {
    self.init(name: path.split(separator: "/").last.map(String.init) ?? path, contents: contents)
  }

  init(name: String, contents: [UInt8]) {
    self.init(
      name: name, bytes: contents.count,
      checksum: contents.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, z_size_t($0.count))) })
  }

  init(name: String, bytes: Int, checksum: UInt32) {
    self.name = name
    self.bytes = bytes
    self.checksum = checksum
  }

  /// Such as `7840016 bytes with checksum 0f3a77c1`.
  public var description: String {
    let digits = String(checksum, radix: 16)
    return "\(bytes) bytes with checksum \(String(repeating: "0", count: 8 - digits.count))\(digits)"
  }
}
