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
  mutating func fillRectangle(x: Int, y: Int, width: Int, height: Int, color: Color) {
    for row in max(y, 0)..<min(y + height, size.rows) {
      for column in max(x, 0)..<min(x + width, size.columns) { colors[row * size.columns + column] = color }
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
    let rows = max(Int(min(start.y, end.y) - reach), 0)..<min(Int(max(start.y, end.y) + reach) + 1, size.rows)
    let columns = max(Int(min(start.x, end.x) - reach), 0)..<min(Int(max(start.x, end.x) + reach) + 1, size.columns)
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
}
