import Imaging
import Orders
import Tensors
import Testing

@Suite struct PictureScalingTests {
  private func random(_ rows: Int, _ columns: Int, channels: Int, seed: UInt64 = 1) -> PNGImage {
    var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: rows, slot: columns)
    return PNGImage(
      size: ImageSize(rows: rows, columns: columns), channels: channels,
      pixels: (0..<(rows * columns * channels)).map { _ in UInt8(generator.integer(below: 256)) })
  }

  /// The mean over each area with every source pixel cut into `to.rows` x `to.columns` equal parts, and then counted.
  private func countedMeans(_ picture: PNGImage, to size: ImageSize) -> [UInt8] {
    var values: [UInt8] = []
    for row in 0..<size.rows {
      for column in 0..<size.columns {
        for channel in 0..<picture.channels {
          var sum = 0
          for partRow in (row * picture.rows)..<((row + 1) * picture.rows) {
            for partColumn in (column * picture.columns)..<((column + 1) * picture.columns) {
              sum += Int(picture[partRow / size.rows, partColumn / size.columns][channel])
            }
          }
          values.append(UInt8((Double(sum) / Double(picture.size.pixels)).rounded(.toNearestOrAwayFromZero)))
        }
      }
    }
    return values
  }

  @Test(arguments: [
    (7, 5, 3, 2), (9, 9, 3, 3), (13, 8, 8, 8), (6, 10, 5, 9), (11, 17, 1, 1), (4, 4, 4, 4), (12, 5, 7, 1),
  ])
  func eachValueIsTheRoundedMeanOfItsArea(rows: Int, columns: Int, toRows: Int, toColumns: Int) {
    for channels in [1, 3] {
      let picture = random(rows, columns, channels: channels)
      let size = ImageSize(rows: toRows, columns: toColumns)
      let scaled = picture.areaResized(to: size)
      #expect(scaled.size == size && scaled.channels == channels)
      #expect(scaled.pixels == countedMeans(picture, to: size))
    }
  }

  @Test func evenAreasStayEven() {
    let white = PNGImage(size: ImageSize(rows: 37, columns: 53), color: [255, 0, 128])
    let size = ImageSize(rows: 10, columns: 11)
    #expect(white.areaResized(to: size) == PNGImage(size: size, color: [255, 0, 128]))
  }

  @Test(arguments: [
    // rows, columns, to rows, to columns, the part's rows, columns, top, left
    (4, 9, 2, 2, 4, 4, 0, 2), (9, 4, 3, 3, 4, 4, 2, 0), (5, 5, 5, 5, 5, 5, 0, 0), (6, 8, 1, 2, 4, 8, 1, 0),
    (8, 6, 2, 1, 8, 4, 0, 1),
  ])
  func theMiddleIsCut(
    rows: Int, columns: Int, toRows: Int, toColumns: Int, partRows: Int, partColumns: Int, top: Int, left: Int
  ) {
    let picture = random(rows, columns, channels: 1)
    let part = picture.centerCrop(toProportionsOf: ImageSize(rows: toRows, columns: toColumns))
    #expect(part.size == ImageSize(rows: partRows, columns: partColumns))
    for row in 0..<part.rows {
      for column in 0..<part.columns { #expect(part[row, column] == picture[top + row, left + column]) }
    }
  }

  @Test func greyIsLuma() {
    let size = ImageSize(rows: 1, columns: 4)
    let picture = PNGImage(
      size: size, channels: 3, pixels: [255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255])
    #expect(picture.grey == PNGImage(size: size, channels: 1, pixels: [76, 150, 29, 255]))
    let clear = PNGImage(size: ImageSize(rows: 1, columns: 1), channels: 4, pixels: [10, 10, 10, 7])
    #expect(clear.grey.pixels == [10, 7])
  }

  @Test func onlyOpaqueAlphaIsDropped() {
    let size = ImageSize(rows: 1, columns: 2)
    let opaque = PNGImage(size: size, channels: 4, pixels: [1, 2, 3, 255, 4, 5, 6, 255])
    #expect(opaque.withoutOpaqueAlpha == PNGImage(size: size, channels: 3, pixels: [1, 2, 3, 4, 5, 6]))
    #expect(PNGImage(size: size, channels: 2, pixels: [1, 255, 2, 254]).withoutOpaqueAlpha == nil)
    let grey = PNGImage(size: size, channels: 1, pixels: [1, 2])
    #expect(grey.withoutOpaqueAlpha == grey)
  }
}
