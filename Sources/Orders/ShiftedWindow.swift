/// Shape of a shifted convolution's window: a rectangle of taps above and to the left of the location, so that the
/// convolution sees only pixels that the raster scan generates before it without any mask (PixelCNN++).
public struct ShiftedWindow: Hashable, Sendable {
  /// Rows of taps.
  public let rows: Int
  /// Columns of taps.
  public let columns: Int
  /// Row of the first tap, seen from the location.
  public let firstRow: Int
  /// Column of the first tap, seen from the location.
  public let firstColumn: Int

  /// A window of `rows` x `columns` taps, the first of them at row `firstRow` and column `firstColumn` seen from the
  /// location.
  public init(rows: Int, columns: Int, firstRow: Int, firstColumn: Int) {
    precondition(rows > 0 && columns > 0, "ShiftedWindow: \(rows)x\(columns)")
    self.rows = rows
    self.columns = columns
    self.firstRow = firstRow
    self.firstColumn = firstColumn
  }

  /// Number of taps; tap t is row t / columns, column t % columns of the window.
  public var taps: Int { rows * columns }

  /// Row and column offset of `tap` from the location, in pixels.
  public func offset(of tap: Int) -> (row: Int, column: Int) {
    (firstRow + tap / columns, firstColumn + tap % columns)
  }
}
