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

  /// The order in `variant`.
  ///
  /// - Throws: when the base has no order of that size, or the file is not an order of it.
  func order(variant: OrderVariant) throws -> NamedOrder {
    var options = RunConfiguration().orders
    options.base = base
    options.file = file
    options.transpose = transpose
    options.reflectRows = reflectRows
    options.reflectColumns = reflectColumns
    return try OrderSelection.orders([.variant(variant)], options, size: size)[0]
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
  static func variants(_ words: [String]) throws -> [OrderVariant] {
    try split(words).map { word in
      guard let variant = Int(word).flatMap(OrderVariant.init(rawValue:)) else {
        throw ValidationError("'\(word)' is no variant of an order; variants are 0 to 7")
      }
      return variant
    }
  }

  /// The orders that `words` name, each one or several with commas between them.
  static func choices(_ words: [String]) throws -> [OrderChoice] {
    let choices = try split(words).map { try choice($0) }
    let orders = choices.flatMap(\.single)
    if let twice = Dictionary(grouping: orders, by: { $0 }).values.first(where: { $0.count > 1 })?.first {
      throw ValidationError("order \(twice) is there twice; an ensemble counts each once")
    }
    return choices
  }

  /// The order that `word` names.
  static func choice(_ word: String) throws -> OrderChoice {
    guard let choice = OrderChoice(word) else {
      throw ValidationError("'\(word)' is no order; an order is \(OrderChoice.forms)")
    }
    return choice
  }

  private static func split(_ words: [String]) -> [String] {
    words.flatMap { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) }
  }
}

extension BaseOrder: ExpressibleByArgument {}

/// The one order that pixels are generated or coded in, given on the command line.
struct SingleOrderArgument: ParsableArguments {
  @Option(
    name: [.customLong("order"), .customLong("variant")], parsing: .unconditional,
    help: ArgumentHelp("The order (default: the first of orders.test), \(OrderChoice.forms)."))
  var order: String?

  func validate() throws { _ = try choice() }

  /// The order that was asked for; the first that a run with `options` tests with when none was.
  func choice(_ options: RunConfiguration.OrderOptions = RunConfiguration().orders) throws -> OrderChoice {
    guard let order else { return options.test[0].single[0] }
    let choice = try OrderArguments.choice(order)
    guard choice.single.count == 1 else {
      throw ValidationError(
        "'\(order)' names \(choice.single.count) orders, where one is needed; random/0 is the first")
    }
    return choice
  }

  /// The order, for images of `size`.
  func named(_ options: RunConfiguration.OrderOptions, size: ImageSize) throws -> NamedOrder {
    try OrderSelection.orders([choice(options)], options, size: size)[0]
  }
}
