import Orders

/// A generation order as a curve through the pixels' centres, coloured from blue (first) to yellow (last).
///
/// A white disk marks the first pixel and a black one the last. Steps to a neighbour are thick; jumps are thin and
/// faint, so that an order made of several curves shows them.
public enum OrderPicture {
  /// Draws `order` with cells of `cellSide` x `cellSide` pixels, in three channels.
  public static func draw(_ order: GenerationOrder, cellSide: Int = 20) -> PNGImage {
    precondition(cellSide > 0, "OrderPicture: cells of \(cellSide) pixels")
    let size = order.size
    let margin = cellSide / 2
    let side = Double(cellSide)
    var canvas = Canvas(
      size: ImageSize(rows: size.rows * cellSide + 2 * margin, columns: size.columns * cellSide + 2 * margin),
      background: Color(grey: 1))

    // Each cell is tinted by its time too, which shows the order where the curve is dense or jumps.
    func color(_ position: Int) -> Color {
      Color.ofProgress(size.pixels > 1 ? Double(position) / Double(size.pixels - 1) : 0)
    }
    let border = cellSide >= 8 ? 1 : 0
    for (position, pixel) in order.pixels.enumerated() {
      canvas.fillRectangle(
        x: margin + Int(pixel) % size.columns * cellSide, y: margin + Int(pixel) / size.columns * cellSide,
        width: cellSide - border, height: cellSide - border,
        color: color(position).mixed(with: Color(grey: 1), fraction: 0.8))
    }

    func isNeighbor(_ position: Int) -> Bool {
      let (from, to) = (Int(order.pixels[position]), Int(order.pixels[position + 1]))
      return abs(from / size.columns - to / size.columns) <= 1 && abs(from % size.columns - to % size.columns) <= 1
    }
    func center(_ position: Int) -> Point {
      let pixel = Int(order.pixels[position])
      return Point(
        x: Double(margin) + (Double(pixel % size.columns) + 0.5) * side,
        y: Double(margin) + (Double(pixel / size.columns) + 0.5) * side)
    }
    // As even as the cell's side, so that the curve's edges fall between pixels. Jumps first: they stay below it.
    let curveWidth = Double(max(cellSide / 8 * 2 + cellSide % 2, 1))
    for drawsNeighbors in [false, true] {
      for position in 0..<size.pixels - 1 where isNeighbor(position) == drawsNeighbors {
        canvas.stroke(
          from: center(position), to: center(position + 1), width: drawsNeighbors ? curveWidth : max(side / 16, 1),
          colors: (color(position), color(position + 1)), opacity: drawsNeighbors ? 1 : 0.55)
      }
    }
    for (position, fill) in [(0, Color(grey: 1)), (size.pixels - 1, Color(grey: 0))] {
      canvas.fillDisk(center: center(position), radius: side * 0.36, color: Color(grey: 0.1))
      canvas.fillDisk(center: center(position), radius: side * 0.26, color: fill)
    }
    return canvas.picture
  }
}
