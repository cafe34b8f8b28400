import Foundation

/// Where an axis has its marks.
public enum AxisTicks {
  /// Round numbers in `range`, about `count` of them and at most ten more than the first, with their labels.
  public static func ticks(_ range: ClosedRange<Double>, about count: Int) -> [(value: Double, label: String)] {
    precondition(count > 0, "AxisTicks: \(count) ticks")
    let rough = (range.upperBound - range.lowerBound) / Double(count)
    let power = pow(10, floor(log10(rough)))
    // No width, or one at the ends of what numbers can be.
    guard rough.isFinite && power > 0 else { return [(range.lowerBound, String(format: "%.4g", range.lowerBound))] }
    let step = ([1, 2, 5, 10].first { $0 * power >= rough } ?? 10) * power
    let digits = max(0, Int(-floor(log10(step) + 1e-9)))
    let isPlain = digits <= 6 && max(abs(range.lowerBound), abs(range.upperBound)) < 1e7
    let first = ceil(range.lowerBound / step)
    return (0...10).map { (first + Double($0)) * step }.filter { range.contains($0) }.map { value in
      (value, String(format: isPlain ? "%.\(digits)f" : "%.3g", value == 0 ? 0 : value))
    }
  }
}
