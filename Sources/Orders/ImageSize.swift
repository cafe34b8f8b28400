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
}
