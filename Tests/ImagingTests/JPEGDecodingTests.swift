import Foundation
import Imaging
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
