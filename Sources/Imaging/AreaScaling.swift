import Orders

/// Pictures of one size made smaller to another: each value is the mean over the area that its pixel covers, exact and
/// rounded to nearest, halves up. All of it is integer arithmetic: the same bits on every machine.
///
/// Of `n` pixels in a row that become `m`, pixel i of the result covers [i n, (i + 1) n) and pixel j of the source
/// [j m, (j + 1) m), in units of 1 / m of a source pixel: the overlaps are integers, and so are all sums. Tables and room
/// are made once, so that scaling allocates nothing.
public struct AreaScaling: Sendable {
  /// Rows and columns before.
  public let source: ImageSize
  /// Rows and columns after.
  public let target: ImageSize
  /// Channels of a pixel.
  public let channels: Int
  /// The picture scaled last, `[rows, columns, channels]`.
  public private(set) var pixels: [UInt8]
  private let across: [Overlap]
  private let down: [Overlap]
  private var narrowed: [Int]
  private var sums: [Int]

  /// The pixels of the source that one of the result covers in one direction, and how much of each.
  private struct Overlap {
    let first: Int
    let weights: [Int]
  }

  /// Scaling from `source` to `target`, which is no larger in either direction.
  public init(from source: ImageSize, to target: ImageSize, channels: Int) {
    precondition(
      target.rows <= source.rows && target.columns <= source.columns && channels > 0,
      "AreaScaling: \(source) made to \(target)")
    self.source = source
    self.target = target
    self.channels = channels
    pixels = [UInt8](repeating: 0, count: target.pixels * channels)
    across = Self.overlaps(from: source.columns, to: target.columns)
    down = Self.overlaps(from: source.rows, to: target.rows)
    narrowed = [Int](repeating: 0, count: target.columns * channels)
    sums = narrowed
  }

  /// Overwrites `pixels` with `picture`, `[rows, columns, channels]` of the source's size, made smaller.
  public mutating func scale(_ picture: Span<UInt8>) {
    precondition(picture.count == source.pixels * channels, "AreaScaling: \(picture.count) values of \(source) pixels")
    let total = source.pixels
    let rowValues = target.columns * channels
    var narrowedRow = -1
    for targetRow in 0..<target.rows {
      for index in 0..<rowValues { sums[index] = 0 }
      let rows = down[targetRow]
      for offset in rows.weights.indices {
        let row = rows.first + offset
        // A source row that two rows of the result share is narrowed once.
        if row != narrowedRow {
          narrow(picture, row: row)
          narrowedRow = row
        }
        for index in 0..<rowValues { sums[index] += rows.weights[offset] * narrowed[index] }
      }
      for index in 0..<rowValues {
        pixels[targetRow * rowValues + index] = UInt8((2 * sums[index] + total) / (2 * total))
      }
    }
  }

  private mutating func narrow(_ picture: Span<UInt8>, row: Int) {
    for column in 0..<target.columns {
      let overlap = across[column]
      for channel in 0..<channels {
        var sum = 0
        var place = (row * source.columns + overlap.first) * channels + channel
        for weight in overlap.weights {
          sum += weight * Int(picture[place])
          place += channels
        }
        narrowed[column * channels + channel] = sum
      }
    }
  }

  /// For each of `m` pixels that `n` become, what it covers, in units of 1 / m.
  private static func overlaps(from n: Int, to m: Int) -> [Overlap] {
    (0..<m).map { target in
      let (start, end) = (target * n, (target + 1) * n)
      let sources = (start / m)...((end - 1) / m)
      return Overlap(
        first: sources.lowerBound, weights: sources.map { min(end, ($0 + 1) * m) - max(start, $0 * m) })
    }
  }
}
