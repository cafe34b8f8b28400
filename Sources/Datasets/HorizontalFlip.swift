import Orders
import Tensors

/// Mirrors images left to right, each with probability one half, anew in every epoch: a function of (seed, epoch, image)
/// alone.
public struct HorizontalFlip: Sendable {
  private let seed: UInt64
  private let size: ImageSize
  private let channels: Int

  /// Flips of a run with `seed` over images of `size` and `channels`.
  public init(seed: UInt64, size: ImageSize, channels: Int) {
    self.seed = seed
    self.size = size
    self.channels = channels
  }

  /// Whether `image` is mirrored in `epoch`.
  public func isFlipped(image: Int, epoch: Int) -> Bool {
    var generator = KeyedGenerator(seed: seed, purpose: .horizontalFlip, step: epoch, slot: image)
    return generator.nextBits() & 1 == 1
  }

  /// Mirrors those of `images`, with whose pixels `levels` begins, [images * pixels, channels], that are mirrored in
  /// `epoch`. Allocates nothing.
  public func apply(to levels: inout [UInt8], images: ArraySlice<Int>, epoch: Int) {
    precondition(
      levels.count >= images.count * size.pixels * channels, "HorizontalFlip: \(levels.count) values, \(images.count)")
    for (position, image) in images.enumerated() where isFlipped(image: image, epoch: epoch) {
      for row in 0..<size.rows {
        let start = (position * size.rows + row) * size.columns * channels
        for column in 0..<(size.columns / 2) {
          let left = start + column * channels
          let right = start + (size.columns - 1 - column) * channels
          for channel in 0..<channels { levels.swapAt(left + channel, right + channel) }
        }
      }
    }
  }
}
