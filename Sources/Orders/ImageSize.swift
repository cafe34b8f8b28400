/// Rows and columns of an image.
public struct ImageSize: Hashable, Sendable, CustomStringConvertible {
  /// Number of rows.
  public let rows: Int
  /// Number of columns.
  public let columns: Int

  /// An image of `rows` by `columns` pixels.
  public init(rows: Int, columns: Int) {
    precondition(rows > 0 && columns > 0, "ImageSize: \(rows)x\(columns)")
    self.rows = rows
    self.columns = columns
  }

  /// Number of pixels.
  public var pixels: Int { rows * columns }

  /// `ROWSxCOLUMNS`.
  public var description: String { "\(rows)x\(columns)" }

  func checkPixels(_ pixels: Set<Int>) {
    precondition(
      pixels.allSatisfy { $0 >= 0 && $0 < self.pixels }, "ImageSize: a pixel outside the \(self) image")
  }

  /// Calls `body` with each pixel whose neighbour at `offset` is inside the image too, and with that neighbour.
  func forEachPair(at offset: (row: Int, column: Int), _ body: (_ pixel: Int, _ neighbour: Int) -> Void) {
    let firstColumn = max(0, -offset.column)
    let lastColumn = min(columns, columns - offset.column) - 1
    // An offset as wide as the image leaves no column.
    guard firstColumn <= lastColumn else { return }
    for row in 0..<rows where (0..<rows).contains(row + offset.row) {
      let toNeighbour = offset.row * columns + offset.column
      for pixel in (row * columns + firstColumn)...(row * columns + lastColumn) { body(pixel, pixel + toNeighbour) }
    }
  }
}
