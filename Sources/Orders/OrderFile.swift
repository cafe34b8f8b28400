import Foundation

/// What is wrong with a file that holds a generation order.
public enum OrderFileError: Error, Equatable, CustomStringConvertible {
  /// The file cannot be read or written.
  case inaccessible(path: String, reason: String)
  /// A line holds another number of fields than two.
  case wrongFieldCount(path: String, line: Int, found: Int)
  /// A field is not a whole number.
  case notANumber(path: String, line: Int, text: String)
  /// A pixel lies outside the image.
  case outside(path: String, line: Int, row: Int, column: Int, size: ImageSize)
  /// A pixel was already on an earlier line.
  case repeated(path: String, line: Int, row: Int, column: Int, firstLine: Int)
  /// The file ends before all pixels have come; (`row`, `column`) is the first one missing.
  case incomplete(path: String, found: Int, size: ImageSize, row: Int, column: Int)

  /// What happened, in which file and line.
  public var description: String {
    switch self {
    case .inaccessible(let path, let reason): return "\(path): \(reason)"
    case .wrongFieldCount(let path, let line, let found):
      return "\(path):\(line): expected a row and a column, found \(found) field\(found == 1 ? "" : "s")"
    case .notANumber(let path, let line, let text):
      return "\(path):\(line): '\(text)' is not a whole number; a line holds a row and a column"
    case .outside(let path, let line, let row, let column, let size):
      return "\(path):\(line): pixel (\(row), \(column)) is outside the \(size) image "
        + "(rows 0 to \(size.rows - 1), columns 0 to \(size.columns - 1))"
    case .repeated(let path, let line, let row, let column, let firstLine):
      return "\(path):\(line): pixel (\(row), \(column)) is already on line \(firstLine); each pixel comes once"
    case .incomplete(let path, let found, let size, let row, let column):
      return "\(path): \(found) pixels where a \(size) image has \(size.pixels); "
        + "the first one missing is (\(row), \(column))"
    }
  }
}

/// A generation order as text: one `row column` pair a line, counted from 0, in generation order.
///
/// Blank lines are skipped, and so is everything after a `#`.
public enum OrderFile {
  /// The order of a `size` image in the file at `path`.
  ///
  /// - Throws: when the file is unreadable or is not an order of that size.
  public static func read(path: String, size: ImageSize) throws(OrderFileError) -> GenerationOrder {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .inaccessible(path: path, reason: reason(for: error))
    }
    guard let text = String(data: data, encoding: .utf8) else {
      throw .inaccessible(path: path, reason: "not UTF-8 text")
    }
    return try parse(text, path: path, size: size)
  }

  /// The order of a `size` image in `text`; `path` is used in messages.
  ///
  /// - Throws: when the text is not an order of that size.
  public static func parse(_ text: String, path: String, size: ImageSize) throws(OrderFileError) -> GenerationOrder {
    var pixels: [Int32] = []
    var lineOfPixel = [Int](repeating: 0, count: size.pixels)
    for (index, content) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let line = index + 1
      let fields = content.prefix { $0 != "#" }.split(whereSeparator: \.isWhitespace)
      if fields.isEmpty { continue }
      guard fields.count == 2 else { throw .wrongFieldCount(path: path, line: line, found: fields.count) }
      guard let row = Int(fields[0]) else { throw .notANumber(path: path, line: line, text: String(fields[0])) }
      guard let column = Int(fields[1]) else { throw .notANumber(path: path, line: line, text: String(fields[1])) }
      guard (0..<size.rows).contains(row) && (0..<size.columns).contains(column) else {
        throw .outside(path: path, line: line, row: row, column: column, size: size)
      }
      let pixel = row * size.columns + column
      guard lineOfPixel[pixel] == 0 else {
        throw .repeated(path: path, line: line, row: row, column: column, firstLine: lineOfPixel[pixel])
      }
      lineOfPixel[pixel] = line
      pixels.append(Int32(pixel))
    }
    if let missing = lineOfPixel.firstIndex(of: 0) {
      let (row, column) = missing.quotientAndRemainder(dividingBy: size.columns)
      throw .incomplete(path: path, found: pixels.count, size: size, row: row, column: column)
    }
    return GenerationOrder(size: size, permutation: pixels)
  }

  /// The text of `order`, which `parse` turns back into it.
  public static func text(of order: GenerationOrder) -> String {
    var text = "# generation order of a \(order.size) image: row column\n"
    for pixel in order.pixels {
      let (row, column) = Int(pixel).quotientAndRemainder(dividingBy: order.size.columns)
      text += "\(row) \(column)\n"
    }
    return text
  }

  /// Writes `order` to the file at `path`, replacing it if it exists.
  ///
  /// - Throws: when the file cannot be written.
  public static func write(_ order: GenerationOrder, path: String) throws(OrderFileError) {
    do { try Data(text(of: order).utf8).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw .inaccessible(path: path, reason: reason(for: error))
    }
  }

  /// The system's reason behind an error of Foundation, which itself only says that the operation did not complete.
  private static func reason(for error: any Error) -> String {
    guard let cause = (error as? CocoaError)?.underlying as? POSIXError else { return "\(error)" }
    return String(cString: strerror(cause.code.rawValue)).lowercased()
  }
}
