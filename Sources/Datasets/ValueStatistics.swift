/// How often each value occurs in the channels of a set's images.
public struct ValueStatistics: Sendable, Equatable {
  /// What one channel holds.
  public struct Channel: Sendable, Equatable {
    /// How often each value 0 to 255 occurs.
    public let counts: [Int]
    /// The least value.
    public let minimum: Int
    /// The largest.
    public let maximum: Int
    /// Their mean.
    public let mean: Double
    /// Their standard deviation.
    public let deviation: Double
  }

  /// One for each channel.
  public let channels: [Channel]

  /// Counts the values of all images of `dataset`, as the files hold them.
  ///
  /// - Throws: when images cannot be read, or are damaged.
  public init(_ dataset: ImageDataset) throws(DatasetError) {
    let count = dataset.channels
    // [channel, value]
    var counts = [Int](repeating: 0, count: count * 256)
    for image in 0..<dataset.count {
      try dataset.read(image) { pixels in
        var channel = 0
        for index in pixels.indices {
          counts[channel * 256 + Int(pixels[index])] += 1
          channel = channel + 1 == count ? 0 : channel + 1
        }
      }
    }
    channels = (0..<count).map { Self.channel(Array(counts[($0 * 256)..<(($0 + 1) * 256)])) }
  }

  private static func channel(_ counts: [Int]) -> Channel {
    // Integers: the same on every machine.
    let total = counts.reduce(0, +)
    let sum = counts.enumerated().reduce(0) { $0 + $1.offset * $1.element }
    let mean = Double(sum) / Double(total)
    let squares = counts.enumerated().reduce(0) { $0 + $1.offset * $1.offset * $1.element }
    let variance = Double(squares) / Double(total) - mean * mean
    return Channel(
      counts: counts, minimum: counts.firstIndex { $0 > 0 } ?? 0, maximum: counts.lastIndex { $0 > 0 } ?? 0,
      mean: mean, deviation: max(variance, 0).squareRoot())
  }
}
