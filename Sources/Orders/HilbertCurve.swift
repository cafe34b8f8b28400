/// The Hilbert curve from the top left to the top right corner of a square whose side is a power of two.
enum HilbertCurve {
  static func exists(on size: ImageSize) -> Bool {
    size.rows == size.columns && size.rows.nonzeroBitCount == 1
  }

  static func pixels(of size: ImageSize) -> [Int] {
    precondition(exists(on: size), "HilbertCurve: \(size)")
    var pixels: [Int] = []
    pixels.reserveCapacity(size.pixels)
    // Vectors are (row, column).
    appendCurve(from: SIMD2(0, 0), along: SIMD2(0, 1), across: SIMD2(1, 0), side: size.rows) { location in
      pixels.append(location.x * size.columns + location.y)
    }
    return pixels
  }

  /// Visits the square spanned by the unit vectors `along` and `across` from its corner `origin`, ending at the corner
  /// that is `side` - 1 steps `along`.
  private static func appendCurve(
    from origin: SIMD2<Int>, along: SIMD2<Int>, across: SIMD2<Int>, side: Int, visit: (SIMD2<Int>) -> Void
  ) {
    guard side > 1 else { return visit(origin) }
    let half = side / 2
    let toAcross = origin &+ across &* half
    let toOpposite = toAcross &+ along &* half
    // The last quadrant is walked backwards, towards `origin`'s side: it begins next to where the third one ended.
    let toLast = toOpposite &+ along &* (half - 1) &- across
    appendCurve(from: origin, along: across, across: along, side: half, visit: visit)
    appendCurve(from: toAcross, along: along, across: across, side: half, visit: visit)
    appendCurve(from: toOpposite, along: along, across: across, side: half, visit: visit)
    appendCurve(from: toLast, along: 0 &- across, across: 0 &- along, side: half, visit: visit)
  }
}
