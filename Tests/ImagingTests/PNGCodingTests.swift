import Foundation
import Orders
import Testing

import Imaging

@Suite struct PNGCodingTests {
  private let size = ImageSize(rows: 5, columns: 7)

  private func picture(channels: Int) -> PNGImage {
    // Every value differs from its neighbours in both directions and across channels; alpha is neither 0 nor 255.
    PNGImage(size: size, channels: channels, pixels: (0..<size.pixels * channels).map { UInt8(1 + $0 * 83 % 253) })
  }

  private func message(_ body: () throws -> Void) -> String {
    do { try body() } catch { return "\(error)" }
    return "(no error)"
  }

  @Test(arguments: 1...4) func everyChannelCountSurvivesAFile(channels: Int) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/picture.png"
      let written = picture(channels: channels)
      try written.write(to: path)
      #expect(try PNGImage(contentsOf: path) == written)
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["picture.png"])
    }
  }

  @Test func aPaletteFileWrittenByHandBecomesColorWithAlpha() throws {
    // One pixel of a half transparent palette entry: depth 8, type 3, PLTE (10, 20, 30), tRNS 40.
    var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
    bytes += chunk("IHDR", [0, 0, 0, 1, 0, 0, 0, 1, 8, 3, 0, 0, 0])
    bytes += chunk("PLTE", [10, 20, 30])
    bytes += chunk("tRNS", [40])
    // zlib: one stored block of the two bytes 0 (no filter), 0 (palette entry), Adler-32 00020001.
    bytes += chunk("IDAT", [0x78, 0x01, 0x01, 2, 0, 0xFD, 0xFF, 0, 0, 0, 2, 0, 1])
    bytes += chunk("IEND", [])
    let image = try PNGImage(png: bytes, path: "palette.png")
    #expect(image == PNGImage(size: ImageSize(rows: 1, columns: 1), channels: 4, pixels: [10, 20, 30, 40]))
  }

  @Test func writingReplacesAFileAtOnceAndAFailureLeavesItAlone() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/picture.png"
      try picture(channels: 1).write(to: path)
      try picture(channels: 3).write(to: path)
      #expect(try PNGImage(contentsOf: path) == picture(channels: 3))

      // A folder cannot be replaced by a file, which is only found out at the rename: the temporary file must go.
      let taken = folder + "/taken.png"
      try FileManager.default.createDirectory(atPath: taken, withIntermediateDirectories: false)
      #expect(message { try picture(channels: 1).write(to: taken) } == "\(taken): cannot write: Is a directory")
      let left = try FileManager.default.contentsOfDirectory(atPath: folder).sorted()
      #expect(left == ["picture.png", "taken.png"])

      let lost = folder + "/no/such/picture.png"
      #expect(
        message { try picture(channels: 1).write(to: lost) } == "\(lost): cannot create: No such file or directory")
    }
  }

  @Test func unreadableFilesAreNamedWithTheReason() throws {
    try withTemporaryFolder { folder in
      let missing = folder + "/missing.png"
      #expect(
        message { _ = try PNGImage(contentsOf: missing) } == "\(missing): cannot open: No such file or directory")
      #expect(message { _ = try PNGImage(contentsOf: folder) } == "\(folder): cannot read: Is a directory")

      let text = folder + "/text.png"
      try Data("this is no picture at all".utf8).write(to: URL(fileURLWithPath: text))
      #expect(
        message { _ = try PNGImage(contentsOf: text) } == "\(text): not a readable PNG file: Not a PNG file")
    }
  }

  @Test func limitsAreCheckedBeforeDecoding() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/picture.png"
      try picture(channels: 3).write(to: path)
      #expect(
        message { _ = try PNGImage(contentsOf: path, limits: PNGLimits(pixels: 34)) }
          == "\(path): a picture of 5x7 pixels, the limit is 34 pixels")
      #expect(
        message { _ = try PNGImage(contentsOf: path, limits: PNGLimits(fileBytes: 60)) }
          == "\(path): more than 60 bytes, the limit is 60 bytes")
      #expect(try PNGImage(contentsOf: path, limits: PNGLimits(pixels: 35)) == picture(channels: 3))

      // A header that promises 3.6 TB of pixels in 45 bytes of file.
      var bytes: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
      bytes += chunk("IHDR", [0, 0x0E, 0xA6, 0, 0, 0x0E, 0xA6, 0, 8, 6, 0, 0, 0]) + chunk("IDAT", [])
      #expect(
        message { _ = try PNGImage(png: bytes, path: "bomb.png") }
          == "bomb.png: a picture of 960000x960000 pixels, the limit is 67108864 pixels")
    }
  }

  @Test func truncationIsReportedUnlessAllPixelsAreThere() throws {
    let whole = picture(channels: 3)
    let bytes = try whole.encoded()
    // The closing IEND chunk (12 bytes) is not needed to know every pixel.
    for count in 0..<bytes.count - 12 {
      let message = message { _ = try PNGImage(png: Array(bytes[..<count]), path: "cut.png") }
      #expect(message.hasPrefix("cut.png: not a readable PNG file: "), "\(count) of \(bytes.count) bytes: \(message)")
    }
    #expect(try PNGImage(png: Array(bytes.dropLast(12)), path: "cut.png") == whole)
  }

  @Test func everySingleDamagedByteIsHarmless() throws {
    // Seven changes of every byte, as the file stands (checksums must catch them) and with the chunk's checksum made
    // right again, so that the damage reaches the header's and zlib's own checks.
    let whole = picture(channels: 1)
    let bytes = try whole.encoded()
    let limits = PNGLimits(pixels: 1 << 16)
    var unnoticed = 0
    for offset in bytes.indices {
      for bit in [0, 1, 3, 4, 5, 6, 7] {
        var damaged = bytes
        damaged[offset] ^= 1 << UInt8(bit)
        if let image = decodedOrNamedError(damaged, limits: limits), image != whole { unnoticed += 1 }
        _ = decodedOrNamedError(withRepairedChecksums(damaged), limits: limits)
      }
    }
    #expect(unnoticed == 0, "damage that gave another picture without an error")
  }

  private func decodedOrNamedError(_ bytes: [UInt8], limits: PNGLimits) -> PNGImage? {
    do { return try PNGImage(png: bytes, path: "damaged.png", limits: limits) } catch {
      #expect("\(error)".hasPrefix("damaged.png: "))
      return nil
    }
  }

  // MARK: - PNG chunks

  private func chunk(_ type: String, _ data: [UInt8]) -> [UInt8] {
    let body = Array(type.utf8) + data
    return bigEndian(UInt32(data.count)) + body + bigEndian(crc32(body))
  }

  private func bigEndian(_ value: UInt32) -> [UInt8] {
    (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) }
  }

  /// The checksum of ISO 3309, bit by bit.
  private func crc32(_ bytes: [UInt8]) -> UInt32 {
    var crc = UInt32.max
    for byte in bytes {
      crc ^= UInt32(byte)
      for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xEDB8_8320 : crc >> 1 }
    }
    return ~crc
  }

  private func withRepairedChecksums(_ bytes: [UInt8]) -> [UInt8] {
    var repaired = bytes
    var start = 8
    while start + 12 <= bytes.count {
      let length = bytes[start..<start + 4].reduce(0) { $0 << 8 | Int($1) }
      guard length <= bytes.count - start - 12 else { break }
      let end = start + 8 + length
      repaired.replaceSubrange(end..<end + 4, with: bigEndian(crc32(Array(bytes[start + 4..<end]))))
      start = end + 4
    }
    return repaired
  }
}
