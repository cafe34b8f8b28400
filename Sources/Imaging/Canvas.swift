import Orders

/// A place on a canvas, in pixels from the top left corner; the first pixel's centre is (0.5, 0.5).
struct Point: Equatable {
  var x: Double
  var y: Double
}

/// An RGB picture that shapes are drawn on with smooth edges: a pixel's share of a shape is taken from the distance of
/// its centre to the shape's edge.
struct Canvas {
  let size: ImageSize
  private var colors: [Color]

  init(size: ImageSize, background: Color) {
    self.size = size
    colors = [Color](repeating: background, count: size.pixels)
  }

  /// What has been drawn, in three channels.
  var picture: PNGImage {
    func byte(_ value: Double) -> UInt8 { UInt8((min(max(value, 0), 1) * 255).rounded()) }
    return PNGImage(
      size: size, channels: 3, pixels: colors.flatMap { [byte($0.red), byte($0.green), byte($0.blue)] })
  }

  /// Fills the pixels of a rectangle; parts outside the canvas are left out.
  mutating func fillRectangle(x: Int, y: Int, width: Int, height: Int, color: Color, opacity: Double = 1) {
    for row in Self.inside(y, y + height, size.rows) {
      for column in Self.inside(x, x + width, size.columns) {
        let index = row * size.columns + column
        colors[index] = colors[index].mixed(with: color, fraction: opacity)
      }
    }
  }

  /// Fills a disk.
  mutating func fillDisk(center: Point, radius: Double, color: Color) {
    stroke(from: center, to: center, width: 2 * radius, colors: (color, color))
  }

  /// Draws a line with round ends whose colour goes from `colors.0` to `colors.1`.
  mutating func stroke(
    from start: Point, to end: Point, width: Double, colors ends: (Color, Color), opacity: Double = 1
  ) {
    let reach = width / 2 + 1
    let rows = Self.inside(
      Int(min(start.y, end.y) - reach), Int(max(start.y, end.y) + reach) + 1, size.rows)
    let columns = Self.inside(
      Int(min(start.x, end.x) - reach), Int(max(start.x, end.x) + reach) + 1, size.columns)
    let (dx, dy) = (end.x - start.x, end.y - start.y)
    let squaredLength = dx * dx + dy * dy
    for row in rows {
      for column in columns {
        let (px, py) = (Double(column) + 0.5 - start.x, Double(row) + 0.5 - start.y)
        let fraction = squaredLength > 0 ? min(max((px * dx + py * dy) / squaredLength, 0), 1) : 0
        let (ox, oy) = (px - fraction * dx, py - fraction * dy)
        let coverage = min(max(width / 2 + 0.5 - (ox * ox + oy * oy).squareRoot(), 0), 1)
        if coverage > 0 {
          let color = ends.0.mixed(with: ends.1, fraction: fraction)
          let index = row * size.columns + column
          colors[index] = colors[index].mixed(with: color, fraction: coverage * opacity)
        }
      }
    }
  }

  /// What lies in 0..<`count` of the numbers from `first` to before `end`.
  private static func inside(_ first: Int, _ end: Int, _ count: Int) -> Range<Int> {
    let lower = min(max(first, 0), count)
    return lower..<max(min(end, count), lower)
  }
}
