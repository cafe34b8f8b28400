/// How many of a tensor's values lie where, in buckets of equal relative width: a quarter of an octave each, on both sides of
/// zero, as fine as an eye can see in TensorBoard and exact for any order in which values are added.
public struct ValueHistogram: Sendable, Equatable {
  // The sign, the exponent and the two highest bits of the fraction of a Float order its magnitude.
  private static let shift = 21
  private static let magnitudes = 1 << 10
  // Zero and what is as small as the smallest numbers share the middle one.
  private var counts = [Int](repeating: 0, count: 2 * magnitudes)

  /// Finite values added.
  public private(set) var count = 0
  /// The least finite value; 0 without any.
  public private(set) var least: Float = 0
  /// The largest finite value; 0 without any.
  public private(set) var largest: Float = 0
  /// Sum of the finite values, in the order in which they were added.
  public private(set) var sum = 0.0
  /// Sum of their squares.
  public private(set) var sumOfSquares = 0.0
  /// Values that were left out because they are infinite or no number.
  public private(set) var notFinite = 0

  /// The histogram of `values`.
  public init(_ values: some Sequence<Float>) {
    for value in values {
      guard value.isFinite else {
        notFinite += 1
        continue
      }
      least = count == 0 ? value : min(least, value)
      largest = count == 0 ? value : max(largest, value)
      count += 1
      sum += Double(value)
      sumOfSquares += Double(value) * Double(value)
      counts[Self.bucket(of: value)] += 1
    }
  }

  /// A bucket and its upper end; its lower end is the one before's upper end.
  public struct Bucket: Sendable, Equatable {
    /// The upper end, part of the bucket for negative values and zero only.
    public let limit: Double
    /// Values in the bucket.
    public let count: Int

    package init(limit: Double, count: Int) {
      self.limit = limit
      self.count = count
    }
  }

  /// The buckets from the first to the last that hold values. Neighbours without values are one.
  public var buckets: [Bucket] {
    let used = counts.indices.filter { counts[$0] > 0 }
    var buckets: [Bucket] = []
    for (place, index) in used.enumerated() {
      if place > 0 && used[place - 1] < index - 1 { buckets.append(Bucket(limit: Self.limit(index - 1), count: 0)) }
      buckets.append(Bucket(limit: Self.limit(index), count: counts[index]))
    }
    return buckets
  }

  private static func bucket(of value: Float) -> Int {
    let magnitude = Int(value.magnitude.bitPattern >> shift)
    return value < 0 ? magnitudes - 1 - magnitude : magnitudes + magnitude
  }

  private static func limit(_ bucket: Int) -> Double {
    // A negative bucket ends at its smallest magnitude, a positive one where the next begins.
    let magnitude = bucket < magnitudes ? magnitudes - 1 - bucket : bucket - magnitudes + 1
    let value = Float(bitPattern: UInt32(magnitude) << shift)
    return bucket < magnitudes ? -Double(value) : value.isFinite ? Double(value) : Double(Float.greatestFiniteMagnitude)
  }
}
