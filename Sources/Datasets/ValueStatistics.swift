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
  public init(_ dataset: ImageDataset) {
    var counts = [[Int]](repeating: [Int](repeating: 0, count: 256), count: dataset.channels)
    for start in stride(from: 0, to: dataset.pixels.count, by: dataset.channels) {
      for channel in 0..<dataset.channels { counts[channel][Int(dataset.pixels[start + channel])] += 1 }
    }
    channels = counts.map(Self.channel)
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
