import ArgumentParser
import Evaluation
import Foundation
import Imaging
import Orders

/// `lmconv orders`
struct OrdersCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "orders",
    abstract: "Show generation orders: as tables, as curves in a PNG file, or as JSON.",
    discussion: """
      Examples:
        # at each pixel, when it is generated
        lmconv orders --size 8x8
        lmconv orders --base hilbert --size 32x32 --out hilbert.png
        lmconv orders --base gilbert2d --variants 0,1,2,3 --out variants.png
        lmconv orders --file my.order --size 28x28 --json

      Variants are numbered 0 identity, 1 reflect rows, 2 reflect columns, 3 both, 4 transpose, 5 to 7 transpose then 1 \
      to 3. In pictures the curve goes from blue (first) to yellow (last).
      """)

  @OptionGroup var arguments: OrderArguments

  @Option(
    parsing: .upToNextOption, help: ArgumentHelp("Variants to show, 0 to 7 (default: 0).", valueName: "n,n,..."))
  var variants: [String] = []

  @Option(name: .shortAndLong, help: ArgumentHelp("Draw them to this PNG file.", valueName: "file"))
  var out: String?

  @Flag(help: "Print them as JSON.")
  var json = false

  /// Wider tables do not fit a terminal.
  private static let widestTable = 32

  private struct Description: Encodable {
    let name: String
    let rows: Int
    let columns: Int
    /// [pixels][row, column], in generation order.
    let pixels: [[Int]]
    /// [rows][columns]: when each pixel is generated.
    let positions: [[Int]]

    init(_ named: NamedOrder) {
      let size = named.order.size
      name = named.name
      rows = size.rows
      columns = size.columns
      pixels = named.order.pixels.map { [Int($0) / size.columns, Int($0) % size.columns] }
      let flat = named.order.positions.map(Int.init)
      positions = (0..<size.rows).map { Array(flat[($0 * size.columns)..<(($0 + 1) * size.columns)]) }
    }
  }

  func validate() throws { _ = try OrderArguments.variants(variants) }

  func run() throws {
    let variants = try OrderArguments.variants(self.variants)
    let orders = try (variants.isEmpty ? [.identity] : variants).map { try arguments.order(variant: $0) }
    if let out { try draw(orders, to: try OutputFile(out)) }
    let descriptions = orders.map(Description.init)
    if json {
      try JSONOutput.print(descriptions)
    } else if out == nil {
      guard arguments.size.columns <= Self.widestTable else {
        throw ValidationError(
          "a table of \(arguments.size.columns) columns is too wide to read; pass --out FILE.png, --json, or a smaller "
            + "--size")
      }
      print(descriptions.map(table).joined(separator: "\n\n"))
    }
  }

  private func table(_ order: Description) -> String {
    let rows = order.positions.map { $0.map(String.init) }
    return order.name + "\n" + TextTable.text(rows, rightAligned: Set(0..<order.columns))
  }

  private func draw(_ orders: [NamedOrder], to file: OutputFile) throws {
    // Large images get small cells, so that the picture stays one that can be looked at.
    let cell = max(1, min(20, 1600 / max(arguments.size.rows, arguments.size.columns)))
    let pictures = orders.map { OrderPicture.draw($0.order, cellSide: cell) }
    let rows = stride(from: 0, to: pictures.count, by: 4).map {
      Array(pictures[$0..<min($0 + 4, pictures.count)])
    }
    try file.write(ImageGrid(gap: cell).picture(rows: rows))
    Notice.show("\(file.path): \(orders.map(\.name).joined(separator: " "))")
  }
}

/// What a command says besides its result, on standard error.
enum Notice {
  static func show(_ message: String) { FileHandle.standardError.write(Data((message + "\n").utf8)) }
}
