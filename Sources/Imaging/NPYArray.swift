/// Arrays in NumPy's `.npy` files: bytes in and out, tables of numbers out.
public struct NPYArray: Equatable, Sendable {
  /// Sizes, outermost first.
  public let shape: [Int]
  /// The elements, the last index running fastest.
  public let elements: [UInt8]

  /// An array of bytes (`numpy.uint8`) of `shape`.
  public init(shape: [Int], elements: [UInt8]) {
    precondition(shape.reduce(1, *) == elements.count, "NPYArray: \(elements.count) elements for shape \(shape)")
    self.shape = shape
    self.elements = elements
  }

  /// Reads the array of bytes in the file at `path`, which has at most `limitBytes`.
  ///
  /// - Throws: when the file cannot be read, is no NumPy file, damaged, or holds elements of another type or order.
  public init(contentsOf path: String, limitBytes: Int = 1 << 30) throws(NPYError) {
    let bytes: [UInt8]
    do { bytes = try readFile(path, limit: limitBytes) } catch { throw .inaccessible(error) }
    try self.init(npy: bytes, path: path)
  }

  /// The sizes of the array, of whatever type, in the NumPy file `bytes`; `path` names it in messages.
  ///
  /// - Throws: when the bytes are no NumPy file, or its header is damaged.
  public static func shape(npy bytes: [UInt8], path: String) throws(NPYError) -> [Int] {
    var start = 0
    return try NPYHeader(bytes, path: path, end: &start).shape
  }

  /// Reads the array of bytes in the NumPy file `bytes`; `path` names it in messages.
  ///
  /// - Throws: when the bytes are no NumPy file, damaged, or hold elements of another type or order.
  public init(npy bytes: [UInt8], path: String) throws(NPYError) {
    var start = 0
    let header = try NPYHeader(bytes, path: path, end: &start)
    // A byte has no order of bytes, so that all four notations mean the same.
    guard ["'|u1'", "'u1'", "'<u1'", "'>u1'"].contains(header.type) else {
      throw .wrongType(path: path, found: header.type, expected: "'|u1' (numpy.uint8)")
    }
    guard !header.isFortranOrder || header.shape.count < 2 else { throw .fortranOrder(path: path) }
    var count = 1
    for size in header.shape {
      let (product, overflow) = count.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .wrongShape(path: path, found: header.shape, expected: "one that fits in memory") }
      count = product
    }
    guard bytes.count - start == count else {
      throw .wrongLength(path: path, offset: start, expectedBytes: count, foundBytes: bytes.count - start)
    }
    shape = header.shape
    elements = Array(bytes[start...])
  }

  /// The bytes of the file.
  public var encoded: [UInt8] { NPYHeader(type: "'|u1'", shape: shape).encoded + elements }
}

/// A table of numbers for NumPy: a one-dimensional array of records with a `numpy.float64` for each column, so that
/// `numpy.load(file)["name"]` is a column.
public struct NPYTable: Sendable {
  /// The columns, all of one length.
  public let columns: [(name: String, values: [Double])]

  /// A table of `columns`, at least one, all of one length, with different names.
  public init(columns: [(name: String, values: [Double])]) {
    precondition(
      !columns.isEmpty && columns.allSatisfy { $0.values.count == columns[0].values.count }
        && Set(columns.map(\.name)).count == columns.count, "NPYTable: columns \(columns.map(\.name))")
    self.columns = columns
  }

  /// The bytes of the file.
  public var encoded: [UInt8] {
    let fields = columns.map { "(\(Self.quoted($0.name)), '<f8')" }.joined(separator: ", ")
    let rows = columns[0].values.count
    var bytes = NPYHeader(type: "[\(fields)]", shape: [rows]).encoded
    bytes.reserveCapacity(bytes.count + 8 * rows * columns.count)
    for row in 0..<rows {
      for column in columns {
        withUnsafeBytes(of: column.values[row].bitPattern.littleEndian) { bytes.append(contentsOf: $0) }
      }
    }
    return bytes
  }

  /// `name` as a Python text.
  private static func quoted(_ name: String) -> String {
    let escaped = name.unicodeScalars.map { scalar in
      switch scalar {
      case "\\", "'": return "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        return "\\x" + String(repeating: "0", count: 2 - digits.count) + digits
      default: return String(scalar)
      }
    }
    return "'\(escaped.joined())'"
  }
}
