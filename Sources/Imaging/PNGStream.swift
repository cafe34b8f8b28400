import CZlib
import Orders

/// What a PNG file holds of its picture: rows filtered and packed by zlib (PNG specification, third edition, sections 9
/// and 10). The rest of a file, 57 bytes, is the same for all pictures of one size.
///
/// A picture of its own gives few rows to choose filters by, so every way of choosing is tried: each of the five filters
/// for all rows, and for each row the one with the smallest sum of absolute differences. The smallest stream counts.
public enum PNGStream {
  /// Bytes of zlib's header and checksum, the same for any picture.
  public static let containerBytes = 6

  /// The smallest zlib stream for `levels` `[rows, columns, channels]` of `bits` bits; of one channel, pixels are packed
  /// at the least depth that PNG has for them.
  ///
  /// - Throws: when there is no memory for it.
  public static func smallest(
    levels: [UInt8], size: ImageSize, channels: Int, bits: Int
  ) throws(PNGError) -> [UInt8] {
    precondition(levels.count == size.pixels * channels, "PNGStream: \(levels.count) values for \(size) x \(channels)")
    let rows = packedRows(levels: levels, size: size, channels: channels, bits: bits)
    let pixelBytes = depth(channels: channels, bits: bits) == 8 ? channels : 1
    let filtered = rows.indices.map { row in
      let above = row > 0 ? rows[row - 1] : [UInt8](repeating: 0, count: rows[row].count)
      return Filter.allCases.map { filter in
        [filter.rawValue] + filter.apply(to: rows[row], above: above, pixelBytes: pixelBytes)
      }
    }
    let choices = Filter.allCases.indices.map { filter in filtered.flatMap { $0[filter] } }
    let adaptive = filtered.flatMap { candidates in
      candidates.min { sum($0) < sum($1) } ?? []
    }
    var smallest = try deflate(adaptive)
    for choice in choices {
      let stream = try deflate(choice)
      if stream.count < smallest.count { smallest = stream }
    }
    return smallest
  }

  /// Bits of a channel in a PNG file of `channels` channels with `bits` bits: 1, 2, 4 or 8.
  public static func depth(channels: Int, bits: Int) -> Int {
    channels > 1 ? 8 : [1, 2, 4].first { $0 >= bits } ?? 8
  }

  private static func packedRows(levels: [UInt8], size: ImageSize, channels: Int, bits: Int) -> [[UInt8]] {
    let depth = depth(channels: channels, bits: bits)
    let values = size.columns * channels
    let perByte = 8 / depth
    return (0..<size.rows).map { row in
      var packed = [UInt8](repeating: 0, count: (values + perByte - 1) / perByte)
      for value in 0..<values {
        packed[value / perByte] |= levels[row * values + value] << (8 - depth - value % perByte * depth)
      }
      return packed
    }
  }

  private enum Filter: UInt8, CaseIterable {
    case none, sub, up, average, paeth

    /// Row `row` less what is predicted from the bytes to the left, above, and above to the left.
    func apply(to row: [UInt8], above: [UInt8], pixelBytes: Int) -> [UInt8] {
      row.indices.map { index in
        let a = index >= pixelBytes ? Int(row[index - pixelBytes]) : 0
        let b = Int(above[index])
        let c = index >= pixelBytes ? Int(above[index - pixelBytes]) : 0
        let prediction: Int
        switch self {
        case .none: prediction = 0
        case .sub: prediction = a
        case .up: prediction = b
        case .average: prediction = (a + b) / 2
        case .paeth:
          let (toA, toB, toC) = (abs(b - c), abs(a - c), abs(a + b - 2 * c))
          prediction = toA <= toB && toA <= toC ? a : toB <= toC ? b : c
        }
        return row[index] &- UInt8(truncatingIfNeeded: prediction)
      }
    }
  }

  /// The sum of absolute differences in a filtered row, its bytes taken as signed.
  private static func sum(_ filtered: [UInt8]) -> Int {
    filtered.dropFirst().reduce(0) { $0 + Int(Int8(bitPattern: $1).magnitude) }
  }

  private static func deflate(_ bytes: [UInt8]) throws(PNGError) -> [UInt8] {
    var count = compressBound(uLong(bytes.count))
    var stream = [UInt8](repeating: 0, count: Int(count))
    let status = compress2(&stream, &count, bytes, uLong(bytes.count), Z_BEST_COMPRESSION)
    // The buffer is large enough for anything.
    guard status == Z_OK else { throw .unencodable(path: "(memory)", reason: "zlib has no memory") }
    return Array(stream[..<Int(count)])
  }
}
