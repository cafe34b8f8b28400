/// A Hilbert-like curve on any rectangle: the generalized Hilbert curve of Jakub Červený
/// (https://github.com/jakubcerveny/gilbert, BSD 2-Clause).
///
/// It starts at the top left and runs along the longer side. All steps go to a direct neighbour, except for one diagonal
/// step at most, when the longer side is odd and the shorter one even.
enum GeneralizedHilbertCurve {
  static func pixels(of size: ImageSize) -> [Int] {
    var pixels: [Int] = []
    pixels.reserveCapacity(size.pixels)
    // Vectors are (row, column).
    let down = SIMD2(size.rows, 0)
    let right = SIMD2(0, size.columns)
    let isTall = size.rows >= size.columns
    appendCurve(from: SIMD2(0, 0), along: isTall ? down : right, across: isTall ? right : down) { location in
      pixels.append(location.x * size.columns + location.y)
    }
    return pixels
  }

  /// Visits the rectangle spanned by the vectors `along` and `across` (each along one axis) from its corner `origin`,
  /// ending at the far end of `along`.
  private static func appendCurve(
    from origin: SIMD2<Int>, along: SIMD2<Int>, across: SIMD2<Int>, visit: (SIMD2<Int>) -> Void
  ) {
    let length = abs(along.wrappedSum())
    let width = abs(across.wrappedSum())
    let alongStep = along.signs
    let acrossStep = across.signs

    if width == 1 { return visitLine(from: origin, step: alongStep, count: length, visit: visit) }
    if length == 1 { return visitLine(from: origin, step: acrossStep, count: width, visit: visit) }

    // An arithmetic shift: halves are rounded down for negative directions too, on which the curve's shape depends.
    var alongHalf = along &>> 1
    var acrossHalf = across &>> 1
    if 2 * length > 3 * width {
      // Long: two rectangles one after the other. An even first length lets its curve end on the right side.
      if !abs(alongHalf.wrappedSum()).isMultiple(of: 2) && length > 2 { alongHalf &+= alongStep }
      appendCurve(from: origin, along: alongHalf, across: across, visit: visit)
      appendCurve(from: origin &+ alongHalf, along: along &- alongHalf, across: across, visit: visit)
    } else {
      // Squarish: up the near side, along the far one, and back down at the end, as in the Hilbert curve.
      if !abs(acrossHalf.wrappedSum()).isMultiple(of: 2) && width > 2 { acrossHalf &+= acrossStep }
      appendCurve(from: origin, along: acrossHalf, across: alongHalf, visit: visit)
      appendCurve(from: origin &+ acrossHalf, along: along, across: across &- acrossHalf, visit: visit)
      appendCurve(
        from: origin &+ (along &- alongStep) &+ (acrossHalf &- acrossStep), along: 0 &- acrossHalf,
        across: alongHalf &- along, visit: visit)
    }
  }

  private static func visitLine(
    from origin: SIMD2<Int>, step: SIMD2<Int>, count: Int, visit: (SIMD2<Int>) -> Void
  ) {
    for index in 0..<count { visit(origin &+ step &* index) }
  }
}

extension SIMD2<Int> {
  /// -1, 0 or 1 per component.
  fileprivate var signs: SIMD2<Int> { SIMD2(x.signum(), y.signum()) }
}
