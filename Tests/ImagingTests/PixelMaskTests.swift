import Orders
import Testing

import Imaging

@Suite struct PixelMaskTests {
  private func drawing(_ regions: String..., rows: Int, columns: Int) throws -> [String] {
    let mask = try PixelMask(regions: regions, size: ImageSize(rows: rows, columns: columns))
    return (0..<rows).map { row in
      String((0..<columns).map { mask.isMissing[row * columns + $0] ? "x" : "." })
    }
  }

  private func message(_ region: String, rows: Int = 4, columns: Int = 5) -> String {
    do {
      _ = try PixelMask(regions: [region], size: ImageSize(rows: rows, columns: columns))
      return "(no error)"
    } catch { return error.description }
  }

  @Test func halvesShareAnOddSizeBetweenThem() throws {
    #expect(try drawing("top", rows: 3, columns: 2) == ["xx", "..", ".."])
    #expect(try drawing("bottom", rows: 3, columns: 2) == ["..", "xx", "xx"])
    #expect(try drawing("left", rows: 2, columns: 3) == ["x..", "x.."])
    #expect(try drawing("right", rows: 2, columns: 3) == [".xx", ".xx"])
    #expect(try drawing("center", rows: 4, columns: 4) == ["....", ".xx.", ".xx.", "...."])
  }

  @Test func boxesAreRowColumnHeightWidthAndAddUp() throws {
    #expect(try drawing("1,2,2,3", rows: 4, columns: 5) == [".....", "..xxx", "..xxx", "....."])
    #expect(try drawing("0, 0, 1, 1", "3,0,1,5", rows: 4, columns: 5) == ["x....", ".....", ".....", "xxxxx"])
  }

  @Test func pixelsAndListsAddUp() throws {
    #expect(try drawing("1,2", rows: 2, columns: 3) == ["...", "..x"])
    #expect(try drawing("0,0;1,1;0,2,2,1", rows: 2, columns: 3) == ["x.x", ".xx"])
    #expect(message("0,0;") == message(""))
    #expect(message("0,7") == message("0,7,1,1"))
  }

  @Test func theInverseMissesWhatIsObserved() throws {
    let mask = try PixelMask(regions: ["0,1,2,1"], size: ImageSize(rows: 2, columns: 3))
    #expect(mask.inverted.missingPixels == mask.observedPixels)
    #expect(mask.inverted.inverted == mask)
  }

  @Test func stagesUncoverMissingPixelsInTheOrder() throws {
    let size = ImageSize(rows: 1, columns: 6)
    let mask = try PixelMask(regions: ["0,1,1,4"], size: size)
    let image = PNGImage(size: size, channels: 1, levels: [0, 0, 0, 0, 0, 0], bitDepth: 8)
    let order = try GenerationOrder(size: size, pixels: [5, 4, 3, 2, 1, 0])
    let stages = mask.stages(of: image, order: order, count: 3).map { stage in
      String((0..<6).map { stage[0, $0] == [0, 0, 0] ? "." : "x" })
    }
    #expect(stages == [".xxxx.", ".xx...", "......"])
  }

  @Test func missingAndObservedPixelsArePartsOfTheImage() throws {
    let mask = try PixelMask(regions: ["0,1,2,1"], size: ImageSize(rows: 2, columns: 3))
    #expect(mask.missingPixels == [1, 4])
    #expect(mask.observedPixels == [0, 2, 3, 5])
  }

  @Test func wrongRegionsSayWhatWouldBeRight() {
    #expect(
      message("botom")
        == "'botom' is no region of missing pixels; use top, bottom, left, right, center, "
        + "a box row,column,height,width, a pixel row,column or a file that ends in .png")
    #expect(
      message("1,2,3")
        == "'1,2,3' is not a box: expected four integers row,column,height,width, or two of a pixel, row,column")
    #expect(
      message("1,2,3,x")
        == "'1,2,3,x' is not a box: expected four integers row,column,height,width, or two of a pixel, row,column")
    #expect(message("1,2,0,3") == "box 1,2,0,3 is empty: height and width must be at least 1")
    let outside = "reaches outside the 4x5 image: row + height is at most 4, column + width at most 5"
    #expect(message("2,0,3,1") == "box 2,0,3,1 \(outside)")
    #expect(message("-1,0,1,1") == "box -1,0,1,1 \(outside)")
    #expect(message("0,\(Int.max),1,1") == "box 0,\(Int.max),1,1 \(outside)")
    #expect(message("top", rows: 1) == "'top': no pixel of the 1x5 image is missing")
  }

  @Test func aPNGMaskMissesDarkAndTransparentPixels() throws {
    try withTemporaryFolder { folder in
      let grey = folder + "/grey.png"
      try PNGImage(size: ImageSize(rows: 1, columns: 4), channels: 1, pixels: [0, 127, 128, 255]).write(to: grey)
      #expect(try drawing(grey, rows: 1, columns: 4) == ["xx.."])

      let color = folder + "/color.PNG"
      let pixels: [UInt8] = [255, 255, 255, 127, 255, 255, 255, 128, 255, 0, 0, 255, 0, 255, 0, 255]
      try PNGImage(size: ImageSize(rows: 2, columns: 2), channels: 4, pixels: pixels).write(to: color)
      #expect(try drawing(color, rows: 2, columns: 2) == ["x.", "x."])

      #expect(message(grey) == "\(grey): a mask of 1x4 pixels, the images have 4x5")
      #expect(message(folder + "/no.png") == "\(folder)/no.png: cannot open: No such file or directory")
      let light = folder + "/light.png"
      try PNGImage(size: ImageSize(rows: 4, columns: 5), color: [255]).write(to: light)
      #expect(message(light) == "'\(light)': no pixel of the 4x5 image is missing")
    }
  }

  @Test func missingPixelsArePaintedOver() throws {
    let size = ImageSize(rows: 1, columns: 2)
    let mask = try PixelMask(regions: ["right"], size: size)
    let hidden = mask.hidingMissing(in: PNGImage(size: size, color: [200]))
    #expect(hidden.channels == 3 && hidden[0, 0] == [200, 200, 200])
    #expect(Set(hidden[0, 1]).count == 3)
  }
}
