/// One of the eight images of an order under the symmetries of a square: perhaps a transposition, then perhaps
/// reflections. The raw value is the variant's index in configurations and in the reference.
///
/// On an image that is not square, transposing means: take the order on the transposed size, swap rows and columns.
public enum OrderVariant: Int, CaseIterable, Codable, Sendable {
  /// The order itself.
  case identity = 0
  /// Upside down.
  case reflectRows = 1
  /// Mirrored left to right.
  case reflectColumns = 2
  /// Both reflections: rotated by half a turn.
  case reflectBoth = 3
  /// Rows and columns swapped.
  case transpose = 4
  /// Transposed, then upside down.
  case transposeReflectRows = 5
  /// Transposed, then mirrored left to right.
  case transposeReflectColumns = 6
  /// Transposed, then both reflections.
  case transposeReflectBoth = 7

  /// The variant that does what is asked for: the transposition first, then the reflections.
  public init(transpose: Bool, reflectRows: Bool, reflectColumns: Bool) {
    let reflections: [OrderVariant] =
      transpose
      ? [.transpose, .transposeReflectRows, .transposeReflectColumns, .transposeReflectBoth]
      : [.identity, .reflectRows, .reflectColumns, .reflectBoth]
    self = reflections[(reflectRows ? 1 : 0) + (reflectColumns ? 2 : 0)]
  }

  private var transposes: Bool { rawValue & 4 != 0 }
  private var reflectsRows: Bool { rawValue & 1 != 0 }
  private var reflectsColumns: Bool { rawValue & 2 != 0 }

  /// Size of the image whose orders this variant turns into orders of a `size` image.
  func sourceSize(of size: ImageSize) -> ImageSize {
    transposes ? ImageSize(rows: size.columns, columns: size.rows) : size
  }

  /// Moves each of `pixels`, which lie in an image of `sourceSize(of: size)`, to its place in a `size` image.
  func moved(_ pixels: [Int], to size: ImageSize) -> [Int] {
    let sourceColumns = sourceSize(of: size).columns
    return pixels.map { pixel in
      var (row, column) = pixel.quotientAndRemainder(dividingBy: sourceColumns)
      if transposes { swap(&row, &column) }
      if reflectsRows { row = size.rows - 1 - row }
      if reflectsColumns { column = size.columns - 1 - column }
      return row * size.columns + column
    }
  }
}
