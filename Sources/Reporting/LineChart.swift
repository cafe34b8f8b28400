import Foundation
import Imaging

/// Lines over steps, as an SVG drawing within a page.
struct LineChart {
  /// One line.
  struct Line {
    let name: String
    /// Steps, ascending, and values; those that are not finite leave a gap.
    let points: [(step: Int, value: Double)]
    /// Which of the page's colours it has.
    let color: Int
    /// Whether it is drawn thin and faint, below others.
    var isRaw = false
    /// Whether each point is marked: few, far apart.
    var marksPoints = false
  }

  let title: String
  let lines: [Line]
  /// Whether values are drawn by their logarithm; those that are not above zero leave a gap.
  var isLogarithmic = false

  // Drawn about as large as shown, so that letters stay readable on a phone.
  private static let width = 460.0
  private static let height = 260.0
  private static let left = 56.0
  private static let right = 12.0
  private static let top = 10.0
  private static let bottom = 28.0
  // More points than this are not told apart.
  private static let mostPoints = 600

  /// The chart; a sentence if there is nothing to draw.
  var html: HTML {
    let drawn = lines.map { line in (line, line.points.filter { isDrawn($0.value) }) }
    let all = drawn.flatMap(\.1)
    let steps = all.map { Double($0.step) }
    guard let first = steps.min(), let last = steps.max() else {
      return "<div class=\"chart\"><h3>\(title)</h3><p class=\"faint\">nothing recorded</p></div>"
    }
    // The first losses of a run are so large that nothing could be read on their scale; they leave the picture above.
    let scaling = all.filter { Double($0.step) >= first + (last - first) / 50 }.map { height(of: $0.value) }
    let (least, largest) = (scaling.min() ?? 0, scaling.max() ?? 0)
    let margin = largest > least ? (largest - least) * 0.05 : max(abs(largest) * 0.05, 1e-9)
    let vertical = (least - margin)...(largest + margin)
    let horizontal = first...max(last, first + 1)
    func x(_ step: Double) -> Double {
      Self.left + (step - horizontal.lowerBound) / (horizontal.upperBound - horizontal.lowerBound)
        * (Self.width - Self.left - Self.right)
    }
    func y(_ height: Double) -> Double {
      Self.top + (vertical.upperBound - height) / (vertical.upperBound - vertical.lowerBound)
        * (Self.height - Self.top - Self.bottom)
    }

    var shapes: [HTML] = []
    for tick in verticalTicks(vertical) {
      let place = y(tick.value)
      shapes.append(
        """
        <line class="grid" x1="\(Self.digits(Self.left))" x2="\(Self.digits(Self.width - Self.right))" \
        y1="\(Self.digits(place))" y2="\(Self.digits(place))"/>\
        <text x="\(Self.digits(Self.left - 6))" y="\(Self.digits(place + 4))" text-anchor="end">\(tick.label)</text>
        """)
    }
    // Fewer labels below than beside: steps are long.
    let below = AxisTicks.ticks(horizontal, about: 4).filter { $0.value == $0.value.rounded() }
    for tick in below {
      let place = x(tick.value)
      let anchor = place > Self.width - 40 ? "end" : "middle"
      shapes.append(
        """
        <text x="\(Self.digits(min(place, Self.width - 2)))" y="\(Self.digits(Self.height - 8))" \
        text-anchor="\(anchor)">\(tick.label)</text>
        """)
    }
    // Raw lines first, below the others.
    for (line, points) in drawn.sorted(by: { $0.0.isRaw && !$1.0.isRaw }) {
      let places = Self.thinned(points).map { (x: x(Double($0.step)), y: y(height(of: $0.value))) }
      let text = places.map { "\(Self.digits($0.x)),\(Self.digits($0.y))" }.joined(separator: " ")
      let kind = line.isRaw ? "raw" : "line"
      shapes.append("<polyline class=\"\(kind)\" stroke=\"var(--c\(line.color))\" points=\"\(text)\"/>")
      guard line.marksPoints || points.count == 1 else { continue }
      for (point, place) in zip(Self.thinned(points), places) {
        shapes.append(
          """
          <circle cx="\(Self.digits(place.x))" cy="\(Self.digits(place.y))" r="3.5" \
          fill="var(--c\(line.color))"><title>\(line.name), step \(point.step): \(Self.number(point.value))</title></circle>
          """)
      }
    }
    let legend = lines.filter { !$0.isRaw && !$0.points.isEmpty }.map { line -> HTML in
      "<li><i style=\"background: var(--c\(line.color))\"></i>\(line.name)</li>"
    }
    return """
      <div class="chart"><h3>\(title)</h3>
      <svg viewBox="0 0 \(Self.digits(Self.width)) \(Self.digits(Self.height))" role="img" aria-label="\(title)">
      \(shapes)
      </svg>
      <ul class="legend">
      \(legend)
      </ul></div>
      """
  }

  private func isDrawn(_ value: Double) -> Bool { value.isFinite && (!isLogarithmic || value > 0) }

  private func height(of value: Double) -> Double { isLogarithmic ? log10(value) : value }

  private func verticalTicks(_ range: ClosedRange<Double>) -> [(value: Double, label: String)] {
    guard isLogarithmic else { return AxisTicks.ticks(range, about: 5) }
    let powers = stride(from: ceil(range.lowerBound), through: floor(range.upperBound), by: 1).map { $0 }
    // Less than a decade has no powers to show.
    guard powers.count > 1 else {
      return AxisTicks.ticks(range, about: 5).map { ($0.value, Self.number(pow(10, $0.value))) }
    }
    let every = (powers.count + 5) / 6
    return stride(from: 0, to: powers.count, by: every).map { index in
      (powers[index], Self.number(pow(10, powers[index])))
    }
  }

  /// At most `mostPoints` of `points`: of as many as share a place, the least and the largest value.
  private static func thinned(_ points: [(step: Int, value: Double)]) -> [(step: Int, value: Double)] {
    guard points.count > mostPoints else { return points }
    let perPlace = (points.count * 2 + mostPoints - 1) / mostPoints
    return stride(from: 0, to: points.count, by: perPlace).flatMap { start -> [(step: Int, value: Double)] in
      let here = points[start..<min(start + perPlace, points.count)]
      guard let least = here.min(by: { $0.value < $1.value }), let largest = here.max(by: { $0.value < $1.value })
      else { return [] }
      return least.step == largest.step ? [least] : [least, largest].sorted { $0.step < $1.step }
    }
  }

  private static func digits(_ value: Double) -> String {
    let text = String(format: "%.1f", value)
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }

  /// `value` with four significant digits.
  static func number(_ value: Double) -> String { String(format: "%.4g", value) }
}

extension LineChart.Line {
  /// The line's running mean over about a fiftieth of its points, which shows where noisy values go.
  func smoothed(name: String) -> LineChart.Line {
    let window = max(1, points.count / 50)
    var sum = 0.0
    var smooth: [(step: Int, value: Double)] = []
    let finite = points.filter { $0.value.isFinite }
    for (index, point) in finite.enumerated() {
      sum += point.value
      if index >= window { sum -= finite[index - window].value }
      smooth.append((point.step, sum / Double(min(index + 1, window))))
    }
    return LineChart.Line(name: name, points: smooth, color: color)
  }
}
