/// Row by row, even rows from left to right and odd rows from right to left: every pixel is next to the one before it.
enum SCurve {
  static func pixels(of size: ImageSize) -> [Int] {
    var pixels: [Int] = []
    pixels.reserveCapacity(size.pixels)
    for row in 0..<size.rows {
      let line = (row * size.columns)..<((row + 1) * size.columns)
      if row % 2 == 0 { pixels.append(contentsOf: line) } else { pixels.append(contentsOf: line.reversed()) }
    }
    return pixels
  }
}
