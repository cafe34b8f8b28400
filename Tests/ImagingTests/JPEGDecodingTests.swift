import Foundation
import Imaging
import Orders
import TestSupport
import Testing

/// `Tests/Fixtures/pictures` holds JPEG files written by Pillow, and what Pillow reads from them as `.npy`.
@Suite struct JPEGDecodingTests {
  private static let folder = Fixtures.packageRoot + "/Tests/Fixtures/pictures/"

  private func bytes(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: Self.folder + name)))
  }

  private func message(_ bytes: [UInt8], limitPixels: Int = 1 << 20) -> String? {
    do {
      _ = try PNGImage(jpeg: bytes, path: "a.jpg", limitPixels: limitPixels)
      return nil
    } catch { return error.description }
  }

  @Test(arguments: ["rgb", "progressive", "grey"]) func pixelsAreThoseThatPillowReads(name: String) throws {
    let picture = try PNGImage(jpeg: bytes(name + ".jpg"), path: "a.jpg")
    let expected = try NPYArray(contentsOf: Self.folder + name + ".npy")
    #expect(
      expected.shape == [picture.rows, picture.columns] + (picture.channels > 1 ? [picture.channels] : []))
    #expect(picture.pixels == expected.elements)
  }

  // MARK: Orientation

  /// The file `name` with a mark of `orientation`, a value of type `type` (3 is a short one).
  private func marked(_ name: String, _ orientation: Int, bigEndian: Bool = false, type: Int = 3) throws -> [UInt8] {
    func number(_ value: Int, _ count: Int) -> [UInt8] {
      let bytes = (0..<count).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
      return bigEndian ? bytes.reversed() : bytes
    }
    let order: [UInt8] = Array((bigEndian ? "MM" : "II").utf8)
    let directory =
      number(1, 2) + number(0x0112, 2) + number(type, 2) + number(1, 4) + number(orientation, 2) + [0, 0]
      + number(0, 4)
    let exif = Array("Exif".utf8) + [0, 0] + order + number(42, 2) + number(8, 4) + directory
    let length = exif.count + 2
    let whole = try bytes(name)
    return whole[..<2] + [0xFF, 0xE1, UInt8(length >> 8), UInt8(length & 255)] + exif + whole[2...]
  }

  /// `picture` with rows and columns changed for each other.
  private func transposed(_ picture: PNGImage) -> PNGImage {
    var result = PNGImage(
      size: ImageSize(rows: picture.columns, columns: picture.rows),
      color: [UInt8](repeating: 0, count: picture.channels))
    for row in 0..<picture.rows { for column in 0..<picture.columns { result[column, row] = picture[row, column] } }
    return result
  }

  private func mirrored(_ picture: PNGImage) -> PNGImage {
    var result = picture
    for row in 0..<picture.rows {
      for column in 0..<picture.columns { result[row, column] = picture[row, picture.columns - 1 - column] }
    }
    return result
  }

  private func flipped(_ picture: PNGImage) -> PNGImage { transposed(mirrored(transposed(picture))) }

  @Test(arguments: ["rgb.jpg", "grey.jpg"], [false, true])
  func picturesAreTurnedAsTheirMarkSays(name: String, bigEndian: Bool) throws {
    let stored = try PNGImage(jpeg: bytes(name), path: "a.jpg")
    // The standard says where row 0 and column 0 belong: of value 6, for example, to the right and to the top.
    let expected = [
      1: stored, 2: mirrored(stored), 3: flipped(mirrored(stored)), 4: flipped(stored), 5: transposed(stored),
      6: mirrored(transposed(stored)), 7: flipped(mirrored(transposed(stored))), 8: flipped(transposed(stored)),
    ]
    for (value, picture) in expected {
      let found = try PNGImage(jpeg: marked(name, value, bigEndian: bigEndian), path: "a.jpg")
      #expect(found == picture, "orientation \(value)")
    }
    #expect(Set(expected.values.map(\.pixels)).count == 8)
    for value in [0, 9, 65_535] {
      #expect(try PNGImage(jpeg: marked(name, value, bigEndian: bigEndian), path: "a.jpg") == stored)
    }
    // A value of another type says nothing.
    #expect(try PNGImage(jpeg: marked(name, 6, bigEndian: bigEndian, type: 1), path: "a.jpg") == stored)
  }

  @Test func damagedMarksDoNotKeepFromThePicture() throws {
    let stored = try PNGImage(jpeg: bytes("grey.jpg"), path: "a.jpg")
    let whole = try marked("grey.jpg", 6)
    let turned = try PNGImage(jpeg: whole, path: "a.jpg")
    // From behind the segment's length to its end.
    for place in 6..<38 {
      for value: UInt8 in [0, 0x7F, 0xFF] {
        var bytes = whole
        bytes[place] = value
        let found = try PNGImage(jpeg: bytes, path: "a.jpg")
        #expect(
          found.pixels.sorted() == stored.pixels.sorted() && [stored.size, turned.size].contains(found.size),
          "byte \(place)")
      }
    }
  }

  @Test func picturesInInksAreRefused() throws {
    #expect(message(try bytes("cmyk.jpg")) == "a.jpg: a JPEG file in the colours of inks (CMYK); convert it to RGB")
  }

  @Test func picturesAboveTheLimitAreRefused() throws {
    #expect(
      message(try bytes("rgb.jpg"), limitPixels: 692)
        == "a.jpg: a picture of 21x33 pixels, the limit is 692 pixels")
    #expect(message(try bytes("rgb.jpg"), limitPixels: 693) == nil)
  }

  /// libjpeg would fill what is missing with grey.
  @Test(arguments: ["rgb.jpg", "progressive.jpg", "grey.jpg"])
  func filesThatEndEarlyAreRefused(name: String) throws {
    let whole = try bytes(name)
    // Without the last two bytes, the mark of the end, all pixels may be there.
    for count in 0..<(whole.count - 2) {
      let text = message(Array(whole.prefix(count)))
      #expect(text?.hasPrefix("a.jpg: not a readable JPEG file: ") == true, "\(count) bytes of \(whole.count)")
    }
  }
}
