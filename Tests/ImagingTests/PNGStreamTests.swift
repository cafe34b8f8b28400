import CZlib
import Imaging
import Orders
import TestSupport
import Testing

/// The size of a picture in PNG, without its file.
struct PNGStreamTests {
  /// A PNG file of `stream`.
  private func file(_ stream: [UInt8], size: ImageSize, channels: Int, depth: Int) -> [UInt8] {
    func word(_ value: Int) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } }
    func chunk(_ name: String, _ bytes: [UInt8]) -> [UInt8] {
      let body = Array(name.utf8) + bytes
      return word(bytes.count) + body + word(Int(crc32(0, body, UInt32(body.count))))
    }
    let header = word(size.columns) + word(size.rows) + [UInt8(depth), channels == 3 ? 2 : 0, 0, 0, 0]
    return [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a] + chunk("IHDR", header) + chunk("IDAT", stream)
      + chunk("IEND", [])
  }

  /// libpng reads from the stream what went into it, whatever the filter and depth.
  @Test(arguments: [(1, 1), (1, 2), (1, 3), (1, 4), (1, 5), (1, 8), (3, 1), (3, 5), (3, 8)])
  func libpngReadsTheStream(channels: Int, bits: Int) throws {
    let size = ImageSize(rows: 9, columns: 13)
    let depth = PNGStream.depth(channels: channels, bits: bits)
    // Each is best served by other filters: rows alike, columns alike, a ramp, noise, one value.
    let pictures: [(Int) -> Int] = [
      { $0 % (13 * channels) * 7 }, { $0 / (13 * channels) * 11 }, { $0 / channels % 13 + $0 / (13 * channels) },
      { $0 &* 0x9E37_79B9 >> 7 }, { _ in 1 },
    ]
    for picture in pictures {
      let levels = (0..<(size.pixels * channels)).map { UInt8(picture($0) & ((1 << bits) - 1)) }
      let stream = try PNGStream.smallest(levels: levels, size: size, channels: channels, bits: bits)
      let bytes = file(stream, size: size, channels: channels, depth: depth)
      #expect(bytes.count == stream.count + 57)
      let read = try PNGImage(png: bytes, path: "(test)")
      #expect(read == PNGImage(size: size, channels: channels, levels: levels, bitDepth: depth))
    }
  }

  @Test func itIsNoLargerThanWhatLibpngWrites() throws {
    let size = ImageSize(rows: 28, columns: 28)
    for picture in 0..<4 {
      let levels = (0..<size.pixels).map { UInt8(truncatingIfNeeded: ($0 % 28) * ($0 / 28) * (picture + 1)) }
      let stream = try PNGStream.smallest(levels: levels, size: size, channels: 1, bits: 8)
      let libpng = try PNGImage(size: size, channels: 1, pixels: levels).encoded()
      #expect(stream.count + 57 <= libpng.count)
    }
  }
}
