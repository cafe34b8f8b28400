/// The S-curve with the centre quarter of the image moved to the end, both parts keeping their relative order.
///
/// The centre leaves out a quarter of the rows (rounded down) above and below, and of the columns left and right.
enum CenterQuarterLast {
  static func pixels(of size: ImageSize) -> [Int] {
    let rows = (size.rows / 4)..<(size.rows - size.rows / 4)
    let columns = (size.columns / 4)..<(size.columns - size.columns / 4)
    func isInCenter(_ pixel: Int) -> Bool {
      rows.contains(pixel / size.columns) && columns.contains(pixel % size.columns)
    }
    let curve = SCurve.pixels(of: size)
    return curve.filter { !isInCenter($0) } + curve.filter(isInCenter)
  }
}
