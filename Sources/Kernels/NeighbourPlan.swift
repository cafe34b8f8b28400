import Orders

/// A local mask prepared for execution: for every block of pixels and every tap, which pixels of the block see the tap.
///
/// The convolution goes tap by tap: the pixels that see a tap (about half, whatever the order) are one dense product
/// with that tap's weights, accumulated into the output. Nothing masked is multiplied, and how many different patterns
/// the order makes does not matter (docs/kernels.md compares this with grouping by pattern).
public final class NeighbourPlan: Sendable {
  /// The image's size.
  public let size: ImageSize
  /// Taps of the window.
  public let taps: Int
  /// Pixels of a block: its rows of activations stay in the second-level cache while all taps pass over them.
  package static let blockPixels = 256
  /// Blocks of an image.
  package let blocks: Int
  /// `starts[block * taps + tap]` is where the list of a block and tap begins in `pixels`; one more entry ends the last.
  package let starts: [Int32]
  /// The lists: indices of output pixels, ascending.
  package let pixels: [Int32]
  /// `shifts[tap]`: index of the pixel that the tap reads, minus that of the output pixel.
  package let shifts: [Int32]
  /// Taps by the number of pixels that see them, most first: threads that begin with the longest tiles end at about the
  /// same time.
  package let tapsByWork: [Int32]
  /// Taps seen by each pixel.
  public let visibleCounts: [Int32]

  /// A plan that reads tap `t` at pixel p where `visible[t * pixels + p]` is 1, from pixel p + offset(t).
  ///
  /// `visible` is tap-major `[taps, pixels]` and never marks a tap outside the image. With `isTransposed` a tap reads
  /// p - offset(t) instead: the gradient of the input.
  public init(size: ImageSize, window: KernelWindow, visible: [UInt8], isTransposed: Bool = false) {
    precondition(visible.count == window.taps * size.pixels, "NeighbourPlan: \(visible.count) entries")
    self.size = size
    taps = window.taps
    blocks = (size.pixels + Self.blockPixels - 1) / Self.blockPixels
    var shifts: [Int32] = []
    for tap in 0..<window.taps {
      let offset = window.offset(of: tap)
      let shift = offset.row * size.columns + offset.column
      shifts.append(Int32(isTransposed ? -shift : shift))
    }
    self.shifts = shifts
    var starts: [Int32] = []
    var pixels: [Int32] = []
    var counts = [Int32](repeating: 0, count: size.pixels)
    var work = [Int](repeating: 0, count: window.taps)
    starts.reserveCapacity(blocks * window.taps + 1)
    pixels.reserveCapacity(visible.count)
    for block in 0..<blocks {
      let range = (block * Self.blockPixels)..<min((block + 1) * Self.blockPixels, size.pixels)
      for tap in 0..<window.taps {
        starts.append(Int32(pixels.count))
        for pixel in range where visible[tap * size.pixels + pixel] != 0 {
          pixels.append(Int32(pixel))
          counts[pixel] += 1
          work[tap] += 1
        }
      }
    }
    starts.append(Int32(pixels.count))
    self.starts = starts
    self.pixels = pixels
    visibleCounts = counts
    tapsByWork = (0..<window.taps).sorted { (work[$0], $1) > (work[$1], $0) }.map(Int32.init)
  }

  /// The plan of a 1x1 convolution: every pixel sees itself.
  public static func pointwise(size: ImageSize) -> NeighbourPlan {
    NeighbourPlan(
      size: size, window: KernelWindow(side: 1, dilation: 1), visible: [UInt8](repeating: 1, count: size.pixels))
  }

  /// Multiplications by a weight, per image, input channel and output channel.
  public var visibleTaps: Int { pixels.count }
}
