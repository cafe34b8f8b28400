import Foundation
import Orders

/// Histograms of several groups of numbers over one another, a panel for each quantity.
public enum HistogramPicture {
  /// The values of one group.
  public struct Group: Sendable {
    /// What the group is called.
    public let name: String
    /// Its values, finite.
    public let values: [Double]

    /// A group of finite `values`.
    public init(name: String, values: [Double]) {
      precondition(values.allSatisfy(\.isFinite), "HistogramPicture: a value of \(name) is not finite")
      self.name = name
      self.values = values
    }
  }

  /// One quantity of all groups.
  public struct Panel: Sendable {
    /// What is written above it.
    public let title: String
    /// The groups, with values in at least one.
    public let groups: [Group]

    /// A panel of `groups`, with values in at least one.
    public init(title: String, groups: [Group]) {
      precondition(groups.contains { !$0.values.isEmpty }, "HistogramPicture: no values")
      self.title = title
      self.groups = groups
    }
  }

  private static let width = 720
  private static let plotHeight = 180
  private static let margin = 24
  private static let letterHeight = 10.0
  private static let lineHeight = 20
  private static let bins = 60
  private static let ink = Color(grey: 0.15)

  /// Draws `panels` below one another, in three channels. A bar's height is the share of its group in the bin, so that
  /// groups of different sizes compare; all bins of a panel are equally wide, from its least to its largest value.
  public static func draw(_ panels: [Panel]) -> PNGImage {
    let heights = panels.map { lineHeight * (2 + $0.groups.count) + plotHeight + margin }
    var canvas = Canvas(
      size: ImageSize(rows: heights.reduce(margin, +), columns: width + 2 * margin), background: Color(grey: 1))
    var top = margin
    for (panel, height) in zip(panels, heights) {
      draw(panel, on: &canvas, top: top)
      top += height
    }
    return canvas.picture
  }

  /// The colour of group `index`: blue, orange, green, red, then on around the circle by the golden angle.
  private static func color(_ index: Int) -> Color {
    let hues = [255.0, 55, 150, 340]
    return Color(
      lightness: 0.62, chroma: 0.15, hueDegrees: index < hues.count ? hues[index] : Double(index) * 137.5)
  }

  /// The shares of `values` in each of `bins` equal bins of `range`; the last bin holds its upper end.
  private static func shares(_ values: [Double], range: ClosedRange<Double>) -> [Double] {
    var counts = [Int](repeating: 0, count: bins)
    for value in values { counts[min(Int(fraction(value, of: range) * Double(bins)), bins - 1)] += 1 }
    return counts.map { Double($0) / Double(max(values.count, 1)) }
  }

  /// Where `value` lies in `range`: 0 at its lower end, 1 at its upper; 0 in one without width.
  private static func fraction(_ value: Double, of range: ClosedRange<Double>) -> Double {
    // Halves, whose difference cannot overflow.
    let width = range.upperBound / 2 - range.lowerBound / 2
    return width > 0 ? (value / 2 - range.lowerBound / 2) / width : 0
  }

  private static func draw(_ panel: Panel, on canvas: inout Canvas, top: Int) {
    func write(_ text: String, x: Double, y: Int, color: Color = ink) {
      Lettering.draw(text, on: &canvas, at: Point(x: x, y: Double(y)), height: letterHeight, color: color)
    }
    let left = Double(margin)
    write(panel.title, x: left, y: top)
    var y = top + lineHeight
    for (index, group) in panel.groups.enumerated() {
      canvas.fillRectangle(x: margin, y: y, width: 14, height: Int(letterHeight), color: color(index))
      write("\(group.name) (\(group.values.count))", x: left + 22, y: y)
      y += lineHeight
    }

    let all = panel.groups.flatMap(\.values)
    let range = (all.min() ?? 0)...(all.max() ?? 0)
    let shares = panel.groups.map { Self.shares($0.values, range: range) }
    let highest = shares.joined().max() ?? 1
    let binWidth = width / bins
    let foot = y + plotHeight
    for (index, group) in shares.enumerated() {
      for (bin, share) in group.enumerated() where share > 0 {
        let height = max(Int((share / highest * Double(plotHeight)).rounded()), 1)
        canvas.fillRectangle(
          x: margin + bin * binWidth, y: foot - height, width: binWidth - 1, height: height, color: color(index),
          opacity: 0.6)
      }
    }
    canvas.fillRectangle(x: margin, y: foot, width: bins * binWidth, height: 1, color: ink)
    for tick in AxisTicks.ticks(range, about: 6) {
      let x = left + fraction(tick.value, of: range) * Double(bins * binWidth)
      canvas.fillRectangle(x: Int(x), y: foot, width: 1, height: 5, color: ink)
      let half = Lettering.width(of: tick.label, height: letterHeight) / 2
      write(tick.label, x: max(x - half, 2), y: foot + 9)
    }
  }
}
