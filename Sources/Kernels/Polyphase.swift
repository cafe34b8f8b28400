import Orders
import Tensors

/// Images cut into their polyphase components (space to depth): the pixels whose rows and columns leave the same
/// remainders by `stride` make up one coarse image, and the `stride`^2 coarse images follow each other.
///
/// A convolution with that stride reads each tap from one component at a fixed distance from the output pixel, so that
/// `NeighbourPlan` needs no second list of what is read, and a transposed one writes each tap to one component.
public struct Polyphase: Sendable {
  /// Size of a component.
  let size: ImageSize
  let stride: Int
  /// `[stride^2 * pixels of a component]`: row * columns + column of the fine image at each place.
  let pixels: [Int32]

  /// Fine images `stride` times as large as `size` on each side.
  public init(size: ImageSize, stride: Int) {
    precondition(stride > 0, "Polyphase: stride \(stride)")
    self.size = size
    self.stride = stride
    pixels = (0..<(stride * stride)).flatMap { phase in
      (0..<size.pixels).map { pixel in
        let row = pixel / size.columns * stride + phase / stride
        return Int32(row * size.columns * stride + pixel % size.columns * stride + phase % stride)
      }
    }
  }

  /// From a coarse pixel (r, c) to the place of the fine pixel (stride * r + row, stride * c + column).
  func shift(row: Int, column: Int) -> Int {
    let coarseRow = Self.quotient(row, stride)
    let coarseColumn = Self.quotient(column, stride)
    let phase = (row - coarseRow * stride) * stride + column - coarseColumn * stride
    return phase * size.pixels + coarseRow * size.columns + coarseColumn
  }

  /// Rounded down, also of negative numbers.
  private static func quotient(_ value: Int, _ divisor: Int) -> Int {
    value >= 0 ? value / divisor : -((-value + divisor - 1) / divisor)
  }

  /// The components of `fine` `[images * pixels, channels]`, to `components`.
  public func split(_ fine: Matrix, into components: Matrix, pool: ThreadPool) {
    move(fine, components, isSplitting: true, pool)
  }

  /// The images whose components are `components`, to `fine`.
  public func merge(_ components: Matrix, into fine: Matrix, pool: ThreadPool) {
    move(components, fine, isSplitting: false, pool)
  }

  private func move(_ source: Matrix, _ target: Matrix, isSplitting: Bool, _ pool: ThreadPool) {
    precondition(
      source.rows == target.rows && source.columns == target.columns && source.rows % pixels.count == 0,
      "Polyphase: [\(source.rows), \(source.columns)] to [\(target.rows), \(target.columns)], images of \(pixels.count)"
    )
    pool.run(
      Rows(
        rows: source.rows, channels: source.columns, pixels: pixels, isSplitting: isSplitting, source: source.base,
        target: target.base))
  }

  private struct Rows: RowWork {
    let rows: Int
    let channels: Int
    let pixels: [Int32]
    let isSplitting: Bool
    let source: UnsafePointer<Float>
    let target: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(row: Int) {
      let place = row % pixels.count
      let fine = row - place + Int(pixels[place])
      (target + (isSplitting ? row : fine) * channels).update(
        from: source + (isSplitting ? fine : row) * channels, count: channels)
    }
  }
}
