import Testing

import Datasets

@Suite struct DatasetFileTests {
  /// Long enough and irregular enough that its packed form has several kinds of blocks.
  private let content = (0..<70_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 7) }

  @Test func unpackedContentIsWhatWasPacked() throws {
    #expect(try firstDifference(DatasetFile.unpack(gzip(content), path: "x.gz"), content) == nil)
    #expect(try DatasetFile.unpack(gzip([]), path: "x.gz") == [])
  }

  @Test func membersOfAnArchiveFollowEachOther() throws {
    let packed = try gzip(Array(content[..<1000])) + gzip([]) + gzip(Array(content[1000...]))
    #expect(try firstDifference(DatasetFile.unpack(packed, path: "x.gz"), content) == nil)
  }

  @Test func everyTruncationOfAnArchiveIsReported() throws {
    let packed = try gzip(Array(content[..<300]))
    for length in 2..<packed.count {
      #expect(throws: DatasetError.truncatedGzip(path: "x.gz", bytes: length)) {
        try DatasetFile.unpack(Array(packed[..<length]), path: "x.gz")
      }
    }
    #expect(
      DatasetError.truncatedGzip(path: "d/x.gz", bytes: 9).description
        == "d/x.gz: truncated, the gzip stream goes on after its 9 bytes; fetch the file again")
  }

  @Test func aFlippedBitNeverChangesTheContentUnnoticed() throws {
    let original = Array(content[..<300])
    let packed = try gzip(original)
    var reported = 0
    for bit in 0..<(packed.count * 8) {
      var damaged = packed
      damaged[bit / 8] ^= 1 << (bit % 8)
      do {
        // The header's time and system may change without any harm.
        #expect(try DatasetFile.unpack(damaged, path: "x.gz") == original, "bit \(bit)")
      } catch {
        reported += 1
      }
    }
    // Everything after the header of 10 bytes and a file name matters.
    #expect(reported > (packed.count - 30) * 8)
  }

  @Test func aDamagedChecksumIsReportedWithItsPlace() throws {
    var packed = try gzip(content)
    packed[packed.count - 8] ^= 1
    let offset = packed.count - 4
    let error = try #require(throws: DatasetError.self) { try DatasetFile.unpack(packed, path: "d/x.gz") }
    #expect(
      error.description
        == "d/x.gz: damaged gzip stream near byte \(offset): incorrect data check; fetch the file again")
  }

  @Test func bytesAfterAnArchiveAreReported() throws {
    let packed = try gzip(content)
    let error = try #require(throws: DatasetError.self) { try DatasetFile.unpack(packed + [7, 7, 7], path: "d/x.gz") }
    #expect(
      error.description
        == "d/x.gz: damaged gzip stream near byte \(packed.count + 2): incorrect header check; fetch the file again")
  }

  @Test func anArchiveThatUnpacksToTooMuchIsRefused() throws {
    let packed = try gzip([UInt8](repeating: 0, count: 1_000_000))
    #expect(packed.count < 2000)
    let error = try #require(throws: DatasetError.self) {
      try DatasetFile.unpack(packed, path: "d/x.gz", limitBytes: 999_999)
    }
    #expect(error.description == "d/x.gz: more than the 999999 bytes that are read into memory")
    #expect(try DatasetFile.unpack(packed, path: "x.gz", limitBytes: 1_000_000).count == 1_000_000)
  }

  @Test func aPlainFileNamedGzIsNamedAsSuch() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write([0, 0, 8, 3], to: "images.gz")
    let error = try #require(throws: DatasetError.self) { try DatasetFile.bytes(at: path) }
    #expect(
      error.description
        == "\(path): not a gzip file: begins with 0x00 0x00, expected 0x1f 0x8b; "
        + "if it is already unpacked, drop '.gz' from its name")
    let empty = try #require(throws: DatasetError.self) { try DatasetFile.unpack([], path: "x.gz") }
    #expect(empty.description.hasPrefix("x.gz: not a gzip file: begins with nothing, expected 0x1f 0x8b; "))
  }

  @Test func whatCannotBeReadIsReportedWithTheSystemsReason() throws {
    let folder = try TemporaryFolder()
    let absent = try #require(throws: DatasetError.self) { try DatasetFile.bytes(at: "\(folder.path)/absent") }
    #expect(absent.description == "\(folder.path)/absent: no such file or directory")
    let notAFile = try #require(throws: DatasetError.self) { try DatasetFile.bytes(at: folder.path) }
    #expect(notAFile.description == "\(folder.path): not a regular file")
  }
}
