import ArgumentParser
import Evaluation
import Imaging
import Kernels
import Orders
import Training

/// `lmconv receptive-field`
struct ReceptiveFieldCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "receptive-field",
    abstract: "Measure which pixels a pixel's distribution depends on, and how strongly, from gradients.",
    discussion: """
      Examples:
        lmconv receptive-field runs/digits --out field.png
        lmconv receptive-field runs/digits --pixel 14,14 --pixel 3,20 --orders 0,3,gilbert2d --out fields.png
        lmconv receptive-field runs/digits --pixel 14,14 --json

      The derivative of the network's outputs at the pixel with respect to each value of the image, root mean square over \
      test images and outputs. Pixels generated later have none, under any order. Pictures are brightest at the largest \
      derivative; the pixel is framed.
      """)

  @OptionGroup var options: ModelOptions

  @Option(help: ArgumentHelp("The pixel, from 0 (default: the middle); may be repeated.", valueName: "row,column"))
  var pixel: [String] = []

  @OptionGroup var shown: PictureOrders

  @Option(parsing: .unconditional, help: "Test images to measure at.")
  var count = 4

  @Option(parsing: .unconditional, help: "Seed of the directions in which outputs are changed.")
  var seed: UInt64 = 1

  @Option(parsing: .unconditional, help: "How much larger a pixel is drawn.")
  var scale = 6

  @Option(name: .shortAndLong, help: ArgumentHelp("Draw the fields to this PNG file.", valueName: "file"))
  var out: String?

  @Flag(help: "Print the fields as JSON.")
  var json = false

  private struct Description: Encodable {
    let order: String
    let row: Int
    let column: Int
    /// Pixels generated before.
    let earlier: Int
    /// Pixels the distribution depends on.
    let pixels: Int
    let meanDistance: Double
    /// `[rows][columns]`
    let sensitivity: [[Double]]

    enum CodingKeys: String, CodingKey {
      case order, row, column, earlier, pixels, sensitivity
      case meanDistance = "mean_distance"
    }

    init(_ field: ReceptiveField, order: NamedOrder) {
      let columns = field.size.columns
      self.order = order.name
      (row, column) = field.pixel.quotientAndRemainder(dividingBy: columns)
      earlier = Int(order.order.positions[field.pixel])
      pixels = field.pixels
      meanDistance = field.meanDistance
      sensitivity = (0..<field.size.rows).map { row in
        Array(field.sensitivity[(row * columns)..<((row + 1) * columns)])
      }
    }
  }

  func validate() throws {
    guard (1...1000).contains(count) else { throw ValidationError("--count must be 1 to 1000, it is \(count)") }
    guard (1...64).contains(scale) else { throw ValidationError("--scale must be 1 to 64, it is \(scale)") }
  }

  func run() throws {
    let file = try out.map { try OutputFile($0) }
    let model = try options.open(log: RunLog(rank: 0, size: 1).logger(level: .info))
    let test = model.experiment.test
    let orders = try shown.named(model.experiment)
    let pixels = try pixels(test.size)
    let levels = try model.experiment.testLevels(first: 0, count: count)
    let pool = options.pool()
    let fields = orders.map { order in
      pixels.map { pixel in
        ReceptiveField.measure(
          pixel: pixel, order: order.order, levels: levels, network: model.experiment.network,
          parameters: model.parameters, seed: seed, pool: pool)
      }
    }
    if let file {
      // A column for each order.
      let rows = pixels.indices.map { row in
        fields.map { HeatPicture.Tile.values($0[row].sensitivity, marked: $0[row].pixel) }
      }
      try file.write(
        HeatPicture.draw(rows: rows, headings: orders.map(\.name), size: test.size, scale: scale, unit: ""))
      Notice.show("\(file.path): \(Quantity.count(orders.count * pixels.count, "receptive field"))")
    }
    let descriptions = zip(orders, fields).flatMap { order, fields in fields.map { Description($0, order: order) } }
    if json {
      try JSONOutput.print(descriptions)
    } else {
      let heading = ["order", "pixel", "pixels before it", "it depends on", "mean distance"]
      let rows = descriptions.map { field in
        [
          field.order, "\(field.row),\(field.column)", "\(field.earlier)", "\(field.pixels)",
          TrainingProgress.number(field.meanDistance, 2),
        ]
      }
      print(TextTable.text([heading] + rows, rightAligned: [2, 3, 4]))
    }
  }

  private func pixels(_ size: ImageSize) throws -> [Int] {
    guard !pixel.isEmpty else { return [size.rows / 2 * size.columns + size.columns / 2] }
    return try pixel.map { text in
      let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
      guard numbers.count == 2, let row = numbers[0], let column = numbers[1], (0..<size.rows).contains(row),
        (0..<size.columns).contains(column)
      else {
        throw ValidationError(
          "'\(text)' is no pixel row,column of these images of \(size): rows are 0 to \(size.rows - 1), columns 0 to "
            + "\(size.columns - 1)")
      }
      return row * size.columns + column
    }
  }
}
