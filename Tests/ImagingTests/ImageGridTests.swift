import Orders
import Testing

import Imaging

@Suite struct ImageGridTests {
  private func tile(_ value: UInt8, channels: Int = 1) -> PNGImage {
    PNGImage(size: ImageSize(rows: 2, columns: 3), color: [UInt8](repeating: value, count: channels))
  }

  @Test func tilesAreEnlargedAndSeparated() {
    let size = ImageSize(rows: 1, columns: 2)
    let left = PNGImage(size: size, channels: 1, pixels: [1, 2])
    let right = PNGImage(size: size, channels: 1, pixels: [3, 4])
    let picture = ImageGrid(scale: 2, gap: 1, background: 9).picture(rows: [[left, right]])
    #expect(picture.size == ImageSize(rows: 4, columns: 11))
    let inside: [UInt8] = [9, 1, 1, 2, 2, 9, 3, 3, 4, 4, 9]
    let gap = [UInt8](repeating: 9, count: 11)
    #expect(picture.pixels == gap + inside + inside + gap)
  }

  @Test func shortRowsLeaveBackgroundAndBlocksAreSetApart() {
    let picture = ImageGrid(scale: 1, gap: 2, rowsPerBlock: 2).picture(
      rows: [[tile(10), tile(20)], [tile(30), tile(40)], [tile(50)], [tile(60)]])
    // Four rows of 2, five gaps of 2, and three more gaps between the blocks.
    #expect(picture.size == ImageSize(rows: 4 * 2 + 5 * 2 + 3 * 2, columns: 2 * 3 + 3 * 2))
    #expect(picture[2, 2] == [10] && picture[2, 7] == [20] && picture[6, 7] == [40])
    #expect(picture[10, 2] == [255] && picture[15, 2] == [255])
    #expect(picture[16, 2] == [50] && picture[16, 7] == [255] && picture[20, 2] == [60])
  }

  @Test func mixedChannelsBecomeThoseThatHoldAll() {
    let picture = ImageGrid(gap: 1).picture(rows: [[tile(5), tile(6, channels: 3)]])
    #expect(picture.channels == 3)
    #expect(picture[1, 1] == [5, 5, 5] && picture[1, 5] == [6, 6, 6])
    #expect(ImageGrid().picture(rows: [[tile(5, channels: 2), tile(6, channels: 3)]]).channels == 4)
  }

  @Test func completionsShowContextCompletionsAndTruthPerImage() {
    func row(_ first: UInt8) -> [PNGImage] { (0..<3).map { tile(first + $0) } }
    let picture = ImageGrid.completions(
      contexts: row(10), completions: [row(20), row(30)], truths: row(40), imagesPerBlock: 2, scale: 1)
    // Two blocks of four rows: images 0 and 1, then image 2.
    let height = 2
    #expect(picture.size == ImageSize(rows: 8 * height + 9 * 2 + 6, columns: 2 * 3 + 3 * 2))
    let tops = (0..<8).map { 2 + $0 * (height + 2) + ($0 < 4 ? 0 : 6) }
    #expect(tops.map { picture[$0, 2][0] } == [10, 20, 30, 40, 12, 22, 32, 42])
    #expect(tops.map { picture[$0, 7][0] } == [11, 21, 31, 41, 255, 255, 255, 255])
  }
}
