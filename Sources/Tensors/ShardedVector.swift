/// The values of some ranges of a flat vector, stored one after the other without the gaps: what a rank keeps of a vector
/// that is shared out among all ranks (the optimizer's moments, the averaged parameters).
public struct ShardedVector: Sendable {
  /// The places in the flat vector, ascending, none empty.
  public let ranges: [Range<Int>]
  /// The values: those of `ranges[0]`, then those of `ranges[1]`, and so on.
  public let storage: FloatBuffer

  /// Zeros at `ranges`, which ascend without overlap; empty ranges are dropped.
  public init(ranges: [Range<Int>]) {
    self.ranges = ranges.filter { !$0.isEmpty }
    for (range, next) in zip(self.ranges, self.ranges.dropFirst()) {
      precondition(range.upperBound <= next.lowerBound, "ShardedVector: \(next) follows \(range)")
    }
    storage = FloatBuffer(count: self.ranges.reduce(0) { $0 + $1.count })
  }

  /// Number of values stored.
  public var count: Int { storage.count }

  /// Takes the values at `ranges` from `full`, a vector of the whole length.
  public func load(from full: FloatBuffer) {
    forEachRange { range, offset in storage.copy(offset..<(offset + range.count), from: full, at: range.lowerBound) }
  }

  /// Writes the values to their places in `full`, a vector of the whole length; the rest of it stays as it is.
  public func store(into full: FloatBuffer) {
    forEachRange { range, offset in full.copy(range, from: storage, at: offset) }
  }

  /// Calls `body` with each range and the index in `storage` of its first value.
  public func forEachRange(_ body: (_ range: Range<Int>, _ offset: Int) -> Void) {
    var offset = 0
    for range in ranges {
      body(range, offset)
      offset += range.count
    }
  }
}
