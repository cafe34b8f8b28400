import ArgumentParser
import Configuration
import Evaluation
import Orders
import Training

/// A generation order, given on the command line.
struct OrderArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp("Rows and columns of the image.", valueName: "rowsxcolumns"), transform: Self.imageSize)
  var size = ImageSize(rows: 28, columns: 28)

  @Option(
    name: [.customLong("base"), .customLong("order")],
    help: ArgumentHelp("The order that the variants are made of.", valueName: "name"))
  var base = BaseOrder.sCurve

  @Option(
    help: ArgumentHelp("File with an order to use instead: lines of a row and a column.", valueName: "file"))
  var file: String?

  @Flag(help: "Transpose the base first.")
  var transpose = false

  @Flag(help: "Then reflect its rows.")
  var reflectRows = false

  @Flag(help: "Then reflect its columns.")
  var reflectColumns = false

  /// Variant `index` of the order.
  ///
  /// - Throws: when the base has no order of that size, or the file is not an order of it.
  func order(variant index: Int) throws -> NamedOrder {
    var options = RunConfiguration().orders
    options.base = base
    options.file = file
    options.transpose = transpose
    options.reflectRows = reflectRows
    options.reflectColumns = reflectColumns
    return try OrderSelection.order(options, variant: index, size: size)
  }

  /// The longest side of an image that commands draw.
  private static let longestSide = 1024

  /// The size in `text`, `ROWSxCOLUMNS`.
  private static func imageSize(_ text: String) throws -> ImageSize {
    let sides = text.lowercased().split(separator: "x", omittingEmptySubsequences: false).map { Int($0) }
    guard sides.count == 2, let rows = sides[0], let columns = sides[1],
      (1...longestSide).contains(rows), (1...longestSide).contains(columns)
    else {
      throw ValidationError("a size is ROWSxCOLUMNS, each from 1 to \(longestSide), such as 28x28")
    }
    return ImageSize(rows: rows, columns: columns)
  }

  /// The variants in `words`, each one or several numbers with commas between them.
  static func variants(_ words: [String]) throws -> [Int] {
    try words.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false) }.map { word in
      guard let variant = Int(word), OrderVariant(rawValue: variant) != nil else {
        throw ValidationError("'\(word)' is no variant of an order; variants are 0 to 7")
      }
      return variant
    }
  }
}

extension BaseOrder: ExpressibleByArgument {}
