/// How well a score tells two groups apart: the probability that it is higher for an anomalous image than for a normal
/// one, both drawn at random, counting ties as half. 1 tells all apart, 1/2 none, 0 all the wrong way round.
public struct AreaUnderROC: Sendable, Equatable {
  /// The area, exact: a count of half pairs over their number.
  public let value: Double
  /// Standard error of `value` over draws of images (DeLong, DeLong and Clarke-Pearson 1988); nil when a group has but
  /// one image.
  public let standardError: Double?

  /// The area for the scores of `anomalous` and `normal` images, at least one of each and none of them NaN.
  public init(anomalous: [Double], normal: [Double]) {
    precondition(!anomalous.isEmpty && !normal.isEmpty, "AreaUnderROC: an empty group")
    let sortedNormal = normal.sorted()
    let sortedAnomalous = anomalous.sorted()
    // For each image, the half pairs with the other group in which the anomalous one is higher.
    let wins = anomalous.map { Self.halvesBelow($0, in: sortedNormal) }
    let losses = normal.map { 2 * anomalous.count - Self.halvesBelow($0, in: sortedAnomalous) }
    value = Double(wins.reduce(0, +)) / Double(2 * anomalous.count * normal.count)
    guard anomalous.count > 1 && normal.count > 1 else {
      standardError = nil
      return
    }
    let variance =
      Self.variance(wins.map { Double($0) / Double(2 * normal.count) }) / Double(anomalous.count)
      + Self.variance(losses.map { Double($0) / Double(2 * anomalous.count) }) / Double(normal.count)
    standardError = variance.squareRoot()
  }

  /// Twice the number of `sorted` values below `value`, plus the number of those equal to it.
  private static func halvesBelow(_ value: Double, in sorted: [Double]) -> Int {
    firstIndex(in: sorted) { $0 >= value } + firstIndex(in: sorted) { $0 > value }
  }

  /// The first index whose value `holds`, where all values after one that holds do so too.
  private static func firstIndex(in sorted: [Double], _ holds: (Double) -> Bool) -> Int {
    var range = 0..<sorted.count
    while !range.isEmpty {
      let middle = (range.lowerBound + range.upperBound) / 2
      range = holds(sorted[middle]) ? range.lowerBound..<middle : middle + 1..<range.upperBound
    }
    return range.lowerBound
  }

  private static func variance(_ values: [Double]) -> Double {
    let mean = values.reduce(0, +) / Double(values.count)
    return values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count - 1)
  }
}
