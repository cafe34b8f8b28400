import CZlib
import Orders

/// The layout of a packed set, version 1 (docs/data.md): a header, the images' pixels as records of one length from byte
/// 4,096 on, then an index of the records. Integers are little-endian.
enum PackedFormat {
  static let magic = Array("LMCONVDS".utf8)
  static let version = 1
  static let headerBytes = 64
  /// A page, so that a mapped record of 4,096 bytes is one.
  static let firstRecord = 4096
  static let entryBytes = 8
  static let possibleSides = 1...65_536
  static let possibleCounts = 0...1_000_000_000_000

  /// What the file says of itself.
  struct Header: Equatable, Sendable {
    var size: ImageSize
    var channels: Int
    /// Images of each split.
    var train: Int
    var test: Int
    /// What `ImageDataset.contentHash` is for each split.
    var trainHash: UInt32
    var testHash: UInt32
    /// CRC-32 of the index.
    var indexChecksum: UInt32

    var records: Int { train + test }
    var recordBytes: Int { size.pixels * channels }
    var indexOffset: Int { PackedFormat.firstRecord + records * recordBytes }
    var fileBytes: Int { indexOffset + records * PackedFormat.entryBytes }

    /// The header as it is in the file, with its checksum.
    var encoded: [UInt8] {
      var bytes = PackedFormat.magic
      bytes += PackedFormat.bytes(PackedFormat.version, 4)
      for value in [size.rows, size.columns, channels] { bytes += PackedFormat.bytes(value, 4) }
      for value in [train, test] { bytes += PackedFormat.bytes(value, 8) }
      for value in [trainHash, testHash] { bytes += PackedFormat.bytes(Int(value), 4) }
      bytes += PackedFormat.bytes(indexOffset, 8)
      bytes += PackedFormat.bytes(Int(indexChecksum), 4)
      return bytes + PackedFormat.bytes(Int(checksum(of: bytes)), 4)
    }

    init(size: ImageSize, channels: Int) {
      self.size = size
      self.channels = channels
      (train, test, trainHash, testHash, indexChecksum) = (0, 0, 0, 0, 0)
    }

    /// Reads the header at the beginning of `bytes`; `path` is used in messages.
    init(_ bytes: [UInt8], path: String) throws(DatasetError) {
      guard bytes.starts(with: PackedFormat.magic) else { throw .notPacked(path: path) }
      guard bytes.count >= PackedFormat.headerBytes else {
        throw .truncated(path: path, expectedBytes: PackedFormat.headerBytes, foundBytes: bytes.count)
      }
      func integer(_ offset: Int, _ count: Int) -> Int {
        bytes[offset..<(offset + count)].reversed().reduce(0) { $0 << 8 | Int($1) }
      }
      let found = integer(8, 4)
      guard found == PackedFormat.version else { throw .packedVersion(path: path, found: found) }
      guard UInt32(integer(60, 4)) == checksum(of: Array(bytes[..<60])) else {
        throw .damagedPart(path: path, part: "header", offset: 0)
      }
      func size(_ offset: Int, _ count: Int, _ what: String, _ possible: ClosedRange<Int>) throws(DatasetError) -> Int {
        let found = integer(offset, count)
        guard possible.contains(found) else {
          throw .impossibleSize(path: path, offset: offset, quantity: what, expected: possible, found: found)
        }
        return found
      }
      self.size = ImageSize(
        rows: try size(12, 4, "rows", PackedFormat.possibleSides),
        columns: try size(16, 4, "columns", PackedFormat.possibleSides))
      channels = try size(20, 4, "channels", 1...4)
      // With these limits no product of sizes overflows.
      train = try size(24, 8, "training images", PackedFormat.possibleCounts)
      test = try size(32, 8, "test images", PackedFormat.possibleCounts)
      (trainHash, testHash) = (UInt32(integer(40, 4)), UInt32(integer(44, 4)))
      indexChecksum = UInt32(integer(56, 4))
      guard fitsMemory else {
        throw .impossibleSize(
          path: path, offset: 24, quantity: "images", expected: 0...(Int.max / recordBytes / 2), found: records)
      }
      guard integer(48, 8) == indexOffset else { throw .damagedPart(path: path, part: "header", offset: 48) }
    }

    /// Whether offsets in the file are numbers that a processor counts with.
    private var fitsMemory: Bool { records <= Int.max / 2 / (recordBytes + PackedFormat.entryBytes) - 1 }
  }

  /// What the index says of a record.
  struct Entry: Equatable, Sendable {
    /// CRC-32 of its pixels.
    var checksum: UInt32
    var label: UInt8
    var split: Split

    var encoded: [UInt8] { bytes(Int(checksum), 4) + [label, split == .train ? 0 : 1, 0, 0] }
  }

  static func checksum(of bytes: [UInt8], after checksum: UInt32 = 0) -> UInt32 {
    bytes.withUnsafeBufferPointer { UInt32(crc32_z(UInt(checksum), $0.baseAddress, z_size_t($0.count))) }
  }

  private static func bytes(_ value: Int, _ count: Int) -> [UInt8] {
    (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
  }
}
