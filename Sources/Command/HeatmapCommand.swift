import ArgumentParser
import Evaluation
import Foundation
import Imaging
import Kernels
import Orders
import Training

/// `lmconv heatmap`
struct HeatmapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "heatmap",
    abstract: "Show which pixels of images are hard to predict, under which order.",
    discussion: """
      Examples:
        lmconv heatmap runs/digits --out heat.png
        lmconv heatmap runs/digits --first 20 --count 3 --orders 0,3,gilbert2d,random/1 --out heat.png
        lmconv heatmap runs/digits --images mine.png other.png --orders all --out mine-heat.png
        lmconv heatmap runs/digits --json

      A row for each image: the image, then for each order the negative log likelihood of each pixel given those before \
      it, brighter where it is larger. All share one scale, written below. A map's pixels add up to the image's nats, as \
      evaluate prints them.
      """)

  @OptionGroup var options: ModelOptions

  @OptionGroup var shown: PictureOrders

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Show these \(Pictures.forms), of one size.", valueName: "file ..."))
  var images: [String] = []

  @Option(parsing: .unconditional, help: "First test image (default: 0).")
  var first: Int?

  @Option(parsing: .unconditional, help: "Test images to show (default: 4).")
  var count: Int?

  @Option(parsing: .unconditional, help: "How much larger a pixel is drawn.")
  var scale = 4

  @Option(name: .shortAndLong, help: ArgumentHelp("PNG file to write.", valueName: "file"))
  var out: String?

  @Flag(help: "Print the likelihoods as JSON.")
  var json = false

  private struct Description: Encodable {
    let image: Int
    let order: String
    let nats: Double
    /// `[rows][columns]`
    let pixels: [[Double]]
  }

  func validate() throws {
    guard images.isEmpty || (first == nil && count == nil) else {
      throw ValidationError("--first and --count choose test images; with --images there are none")
    }
    guard (first ?? 0) >= 0 else { throw ValidationError("--first must not be negative, it is \(first ?? 0)") }
    guard (1...1000).contains(count ?? 1) else {
      throw ValidationError("--count must be 1 to 1000, it is \(count ?? 1)")
    }
    guard (1...64).contains(scale) else { throw ValidationError("--scale must be 1 to 64, it is \(scale)") }
    guard out != nil || json else { throw ValidationError("nothing to do; pass --out FILE.png or --json") }
  }

  func run() throws {
    let file = try out.map { try OutputFile($0) }
    let model = try options.open(log: RunLog(rank: 0, size: 1).logger(level: .info))
    let (levels, size) = try levels(model.experiment)
    let orders = try shown.named(model.experiment)
    guard orders.allSatisfy({ $0.order.size == size }) else {
      throw PictureError.sizeOfOtherModel(path: images[0], found: size, expected: model.experiment.test.size)
    }
    let likelihoods = PixelLikelihoods.measure(
      levels: levels, orders: orders, size: size, network: model.experiment.network, parameters: model.parameters,
      pool: options.pool())
    let pictures = PictureLevels(model.experiment.network.configuration).pictures(levels, size: size)
    if let file {
      let rows = pictures.indices.map { image in
        [HeatPicture.Tile.image(pictures[image])]
          + orders.indices.map { .values(likelihoods.nats(image: image, order: $0), marked: nil) }
      }
      try file.write(
        HeatPicture.draw(
          rows: rows, headings: ["image"] + orders.map(\.name), size: size, scale: scale, unit: "nats"))
      Notice.show("\(file.path): \(Quantity.count(pictures.count, "image")), \(Quantity.count(orders.count, "order"))")
    }
    guard json else { return }
    try JSONOutput.print(
      pictures.indices.flatMap { image in
        orders.indices.map { order in
          let nats = likelihoods.nats(image: image, order: order)
          return Description(
            image: image + (first ?? 0), order: orders[order].name, nats: nats.reduce(0, +),
            pixels: (0..<size.rows).map { Array(nats[($0 * size.columns)..<(($0 + 1) * size.columns)]) })
        }
      })
  }

  /// The images, `[images, pixels, channels]`.
  private func levels(_ experiment: Experiment) throws -> (levels: [UInt8], size: ImageSize) {
    guard images.isEmpty else {
      return try PictureLevels(experiment.network.configuration).read(images, quantizes: true)
    }
    return (try experiment.testLevels(first: first ?? 0, count: count ?? 4), experiment.test.size)
  }
}
