import Orders

/// A local mask prepared for execution: for every block of pixels and every tap, which pixels of the block see the tap.
///
/// A strided convolution reads a finer grid than it writes. Its input is then cut into its polyphase components
/// (`Polyphase`), so that here, too, each tap reads at a fixed distance in memory.
///
/// The convolution goes tap by tap: the pixels that see a tap (about half, whatever the order) are one dense product
/// with that tap's weights, accumulated into the output. Nothing masked is multiplied, and how many different patterns
/// the order makes does not matter (docs/kernels.md compares this with grouping by pattern).
public final class NeighbourPlan: Sendable {
  /// Pixels of an image that is read.
  public let inputPixels: Int
  /// Pixels of an image that is written.
  public let outputPixels: Int
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
  public convenience init(size: ImageSize, window: KernelWindow, visible: [UInt8], isTransposed: Bool = false) {
    let shifts = (0..<window.taps).map { tap in
      let offset = window.offset(of: tap)
      let shift = offset.row * size.columns + offset.column
      return isTransposed ? -shift : shift
    }
    self.init(inputPixels: size.pixels, outputPixels: size.pixels, shifts: shifts, visible: visible)
  }

  /// A plan that reads tap t at pixel p where `visible[t * outputPixels + p]` is 1, from pixel p + shifts[t].
  init(inputPixels: Int, outputPixels: Int, shifts: [Int], visible: [UInt8]) {
    let taps = shifts.count
    precondition(visible.count == taps * outputPixels, "NeighbourPlan: \(visible.count) entries")
    self.inputPixels = inputPixels
    self.outputPixels = outputPixels
    self.taps = taps
    self.shifts = shifts.map(Int32.init)
    blocks = (outputPixels + Self.blockPixels - 1) / Self.blockPixels
    var starts: [Int32] = []
    var pixels: [Int32] = []
    var counts = [Int32](repeating: 0, count: outputPixels)
    var work = [Int](repeating: 0, count: taps)
    starts.reserveCapacity(blocks * taps + 1)
    pixels.reserveCapacity(visible.count)
    for block in 0..<blocks {
      let range = (block * Self.blockPixels)..<min((block + 1) * Self.blockPixels, outputPixels)
      for tap in 0..<taps {
        starts.append(Int32(pixels.count))
        for pixel in range where visible[tap * outputPixels + pixel] != 0 {
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
    tapsByWork = (0..<taps).sorted { (work[$0], $1) > (work[$1], $0) }.map(Int32.init)
  }

  /// The plan of a 1x1 convolution: every pixel sees itself.
  public static func pointwise(size: ImageSize) -> NeighbourPlan {
    NeighbourPlan(
      size: size, window: KernelWindow(side: 1, dilation: 1), visible: [UInt8](repeating: 1, count: size.pixels))
  }

  /// The plan of a convolution with `window` that writes images of `size` and reads images `stride` times as large on
  /// each side, in polyphase order; taps outside of them are zeros.
  public convenience init(size: ImageSize, window: ShiftedWindow, stride: Int = 1) {
    let polyphase = Polyphase(size: size, stride: stride)
    var shifts: [Int] = []
    var visible = [UInt8](repeating: 0, count: window.taps * size.pixels)
    for tap in 0..<window.taps {
      let offset = window.offset(of: tap)
      shifts.append(polyphase.shift(row: offset.row, column: offset.column))
      for row in 0..<size.rows where (0..<stride * size.rows).contains(stride * row + offset.row) {
        for column in 0..<size.columns where (0..<stride * size.columns).contains(stride * column + offset.column) {
          visible[tap * size.pixels + row * size.columns + column] = 1
        }
      }
    }
    self.init(
      inputPixels: stride * stride * size.pixels, outputPixels: size.pixels, shifts: shifts, visible: visible)
  }

  /// The same plan seen from the pixels that are read: the gradient of the input, and the transposed convolution.
  public var transposed: NeighbourPlan {
    var visible = [UInt8](repeating: 0, count: taps * inputPixels)
    for block in 0..<blocks {
      for tap in 0..<taps {
        let list = pixels[Int(starts[block * taps + tap])..<Int(starts[block * taps + tap + 1])]
        for pixel in list { visible[tap * inputPixels + Int(pixel + shifts[tap])] = 1 }
      }
    }
    return NeighbourPlan(
      inputPixels: outputPixels, outputPixels: inputPixels, shifts: shifts.map { -Int($0) }, visible: visible)
  }

  /// Multiplications by a weight, per image, input channel and output channel.
  public var visibleTaps: Int { pixels.count }
}
