import Orders
import Testing

import Imaging

@Suite struct PNGImageTests {
  @Test(arguments: 1...8) func levelsSpreadEvenlyOverEightBits(bitDepth: Int) {
    let levels = (0..<(1 << bitDepth)).map(UInt8.init)
    let size = ImageSize(rows: 1, columns: levels.count)
    let image = PNGImage(size: size, channels: 1, levels: levels, bitDepth: bitDepth)
    let expected = levels.map { UInt8((Double($0) * 255 / Double(levels.count - 1)).rounded()) }
    #expect(image.pixels == expected)
    #expect(image.pixels.first == 0 && image.pixels.last == 255)
  }

  @Test func conversionsRepeatGreyAndAddOpaqueAlpha() {
    let one = ImageSize(rows: 1, columns: 1)
    let grey = PNGImage(size: one, channels: 1, pixels: [7])
    #expect(grey.converted(toChannels: 2).pixels == [7, 255])
    #expect(grey.converted(toChannels: 3).pixels == [7, 7, 7])
    #expect(grey.converted(toChannels: 4).pixels == [7, 7, 7, 255])
    #expect(PNGImage(size: one, channels: 2, pixels: [7, 9]).converted(toChannels: 4).pixels == [7, 7, 7, 9])
    #expect(PNGImage(size: one, channels: 3, pixels: [1, 2, 3]).converted(toChannels: 4).pixels == [1, 2, 3, 255])
  }

  @Test func pixelsAreReadAndWrittenByRowAndColumn() {
    var image = PNGImage(size: ImageSize(rows: 2, columns: 3), color: [1, 2, 3])
    image[1, 2] = [4, 5, 6]
    #expect(image[1, 2] == [4, 5, 6])
    #expect(image.pixels == [UInt8](repeating: 0, count: 5).flatMap { _ in [1, 2, 3] as [UInt8] } + [4, 5, 6])
  }
}
