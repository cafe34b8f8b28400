import Orders
import Testing

import Imaging

@Suite struct PicturesTests {
  private func luma(_ color: [UInt8]) -> Int {
    (299 * Int(color[0]) + 587 * Int(color[1]) + 114 * Int(color[2])) / 1000
  }

  @Test func anOrderRunsFromItsMarkedStartToItsMarkedEnd() throws {
    // An S over 2x3 pixels: 0 1 2 / 5 4 3.
    let size = ImageSize(rows: 2, columns: 3)
    let picture = OrderPicture.draw(try GenerationOrder(size: size, pixels: [0, 1, 2, 5, 4, 3]), cellSide: 20)
    #expect(picture.size == ImageSize(rows: 60, columns: 80) && picture.channels == 3)
    #expect(picture[20, 20] == [255, 255, 255])
    #expect(picture[40, 20] == [0, 0, 0])
    // On the curve, from cell to cell, it grows lighter; all of it is darker than the tinted cells beside it.
    let along = [picture[20, 30], picture[20, 50], picture[30, 60], picture[40, 50], picture[40, 30]].map(luma)
    #expect(along == along.sorted() && Set(along).count == 5, "\(along)")
    #expect(along[0] < luma(picture[13, 30]))
    // Nothing joins pixel 0 to pixel 3, its neighbour below.
    #expect(luma(picture[29, 20]) > 200 && luma(picture[31, 20]) > 200)
  }

  @Test func jumpsAreFaint() throws {
    let size = ImageSize(rows: 1, columns: 3)
    let jump = OrderPicture.draw(try GenerationOrder(size: size, pixels: [0, 2, 1]), cellSide: 20)
    let walk = OrderPicture.draw(try GenerationOrder(size: size, pixels: [0, 1, 2]), cellSide: 20)
    // 1.5 pixels off the line of centres: outside the stroke of a jump, inside that of a step.
    #expect(luma(jump[21, 30]) > 200 && luma(walk[21, 30]) < 128)
  }

  @Test func onePixelIsAnOrderToo() throws {
    let size = ImageSize(rows: 1, columns: 1)
    #expect(OrderPicture.draw(try GenerationOrder(size: size, pixels: [0])).size == ImageSize(rows: 40, columns: 40))
  }

  @Test func aMaskShowsEveryTapOfEveryLocation() {
    // 1x2 pixels in raster order, 3x3 window, type B: pixel 0 sees itself, pixel 1 sees pixel 0 and itself.
    let size = ImageSize(rows: 1, columns: 2)
    var visible = [UInt8](repeating: 0, count: 9 * 2)
    visible[4 * 2 + 0] = 1
    visible[4 * 2 + 1] = 1
    visible[3 * 2 + 1] = 1
    let picture = MaskPicture.draw(
      visible: visible, size: size, window: KernelWindow(side: 3, dilation: 2), tapSide: 4)
    #expect(picture.size == ImageSize(rows: 4 + 16, columns: 4 + 2 * 16))
    func tap(_ pixel: Int, _ row: Int, _ column: Int) -> [UInt8] { picture[5 + row * 4, 5 + pixel * 16 + column * 4] }
    let hidden = tap(0, 0, 0)
    let ownCenter = tap(0, 1, 1)
    let seen = tap(1, 1, 0)
    #expect(Set([hidden, ownCenter, seen]).count == 3)
    #expect(tap(0, 1, 0) == hidden && tap(1, 1, 1) == ownCenter && tap(1, 1, 2) == hidden)
  }
}
