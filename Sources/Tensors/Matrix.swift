/// A row-major view of part of a `FloatBuffer`. Activations are `[pixels, channels]`: row = image * pixels of an image +
/// pixel, channels contiguous.
public struct Matrix: Sendable {
  /// The storage, kept alive by this view.
  public let buffer: FloatBuffer
  /// Index in `buffer` of element (0, 0).
  public let offset: Int
  /// Number of rows.
  public let rows: Int
  /// Number of columns; rows follow each other without gaps.
  public let columns: Int

  /// A view of `rows * columns` floats of `buffer` from `offset`.
  public init(_ buffer: FloatBuffer, offset: Int = 0, rows: Int, columns: Int) {
    precondition(
      rows >= 0 && columns >= 0 && offset >= 0 && offset + rows * columns <= buffer.count,
      "Matrix: [\(rows), \(columns)] at \(offset) does not fit in \(buffer.count) elements")
    self.buffer = buffer
    self.offset = offset
    self.rows = rows
    self.columns = columns
  }

  /// A zeroed matrix with storage of its own.
  public init(rows: Int, columns: Int) {
    self.init(FloatBuffer(count: rows * columns), rows: rows, columns: columns)
  }

  /// Number of elements.
  public var count: Int { rows * columns }

  /// First element; see `FloatBuffer.base`.
  package var base: UnsafeMutablePointer<Float> { buffer.base + offset }

  /// The element at (`row`, `column`).
  public subscript(row: Int, column: Int) -> Float {
    get {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "Matrix: (\(row), \(column)) outside")
      return base[row * columns + column]
    }
    nonmutating set {
      precondition(row >= 0 && row < rows && column >= 0 && column < columns, "Matrix: (\(row), \(column)) outside")
      base[row * columns + column] = newValue
    }
  }

  /// The first `count` rows: a smaller batch in the same storage.
  public func prefix(rows count: Int) -> Matrix { Matrix(buffer, offset: offset, rows: count, columns: columns) }

  /// Row `index` by itself, in the same storage.
  public func view(row index: Int) -> Matrix {
    Matrix(buffer, offset: offset + index * columns, rows: 1, columns: columns)
  }

  /// As many rows of `columns` columns from the same first element: scratch memory in another shape.
  public func resized(columns: Int) -> Matrix { Matrix(buffer, offset: offset, rows: rows, columns: columns) }

  /// Sets every element to `value`.
  public func fill(_ value: Float) { base.update(repeating: value, count: count) }

  /// Copies all of `other`, which has the same number of elements.
  public func copy(from other: Matrix) {
    precondition(other.count == count, "Matrix.copy: \(other.count) elements into \(count)")
    base.update(from: other.base, count: count)
  }

  /// All elements, row by row.
  public var values: [Float] { buffer.values(in: offset..<(offset + count)) }
}
