import Datasets
import Orders
import Testing

@Suite struct HorizontalFlipTests {
  /// Images of `size` whose values all differ.
  private func levels(_ images: Int, size: ImageSize, channels: Int) -> [UInt8] {
    (0..<(images * size.pixels * channels)).map { UInt8($0) }
  }

  @Test(arguments: [(1, 5), (3, 5), (3, 4), (1, 1)]) func rowsAreMirroredAndChannelsStay(channels: Int, columns: Int) {
    let size = ImageSize(rows: 2, columns: columns)
    let flip = HorizontalFlip(seed: 3, size: size, channels: channels)
    let images = [4, 9, 2]
    let original = levels(images.count, size: size, channels: channels)
    var seen: Set<Bool> = []
    for epoch in 0..<8 {
      var values = original
      flip.apply(to: &values, images: images[...], epoch: epoch)
      for (position, image) in images.enumerated() {
        let isFlipped = flip.isFlipped(image: image, epoch: epoch)
        seen.insert(isFlipped)
        for row in 0..<2 {
          for column in 0..<columns {
            let source = isFlipped ? columns - 1 - column : column
            for channel in 0..<channels {
              let place = ((position * 2 + row) * columns + column) * channels + channel
              let expected = ((position * 2 + row) * columns + source) * channels + channel
              #expect(values[place] == original[expected], "epoch \(epoch), image \(image), \(row), \(column)")
            }
          }
        }
      }
    }
    #expect(seen == [true, false])
  }

  @Test func halfOfTheImagesAreMirroredOthersInEachEpochAndWithEachSeed() {
    let size = ImageSize(rows: 1, columns: 2)
    func flipped(seed: UInt64, epoch: Int) -> [Bool] {
      let flip = HorizontalFlip(seed: seed, size: size, channels: 1)
      return (0..<4000).map { flip.isFlipped(image: $0, epoch: epoch) }
    }
    let first = flipped(seed: 1, epoch: 0)
    // Five standard deviations, of sqrt(4000) / 2 = 31.6.
    for other in [first, flipped(seed: 1, epoch: 1), flipped(seed: 2, epoch: 0)] {
      #expect(abs(other.count(where: \.self) - 2000) < 158)
    }
    for other in [flipped(seed: 1, epoch: 1), flipped(seed: 2, epoch: 0)] {
      #expect(abs(zip(first, other).count { $0 == $1 } - 2000) < 158)
    }
  }

  /// Whoever changes it changes all runs.
  @Test func whichImagesAreMirroredIsFixed() {
    let flip = HorizontalFlip(seed: 1, size: ImageSize(rows: 1, columns: 2), channels: 1)
    let pattern = (0..<16).map { flip.isFlipped(image: $0, epoch: 0) ? "x" : "." }.joined()
    #expect(pattern == "xxxxxxxxxx...x..")
  }
}
