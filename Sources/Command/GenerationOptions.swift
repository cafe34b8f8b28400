import ArgumentParser
import Evaluation
import Imaging
import Logging
import Orders

/// How pixels are generated, given on the command line.
struct GenerationOptions: ParsableArguments {
  @OptionGroup var order: SingleOrderArgument

  @Option(
    parsing: .unconditional, help: "1 samples from the model; less is more typical, 0 takes the most probable values.")
  var temperature = 1.0

  @Option(parsing: .unconditional, help: "Seed of the samples: the same seed gives the same pictures.")
  var seed: UInt64 = 1

  @Option(parsing: .unconditional, help: "How much larger a pixel is drawn.")
  var scale = 3

  @Option(name: .shortAndLong, help: ArgumentHelp("PNG file to write, or .npy file (uint8).", valueName: "file"))
  var out: String

  @Option(
    help: ArgumentHelp(
      "Also draw how each image came into being, one image a row, to this PNG file.", valueName: "file"))
  var strip: String?

  @Option(parsing: .unconditional, help: "Stages in a row of the strip.")
  var stages = 10

  func validate() throws {
    guard temperature >= 0 && temperature.isFinite else {
      throw ValidationError("--temperature must not be negative, it is \(temperature)")
    }
    guard (2...100).contains(stages) else { throw ValidationError("--stages must be 2 to 100, it is \(stages)") }
    guard (1...64).contains(scale) else { throw ValidationError("--scale must be 1 to 64, it is \(scale)") }
  }

  /// Checks how many images, or completions of each, are asked for: what a picture can show.
  static func validate(_ option: String, _ count: Int) throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("\(option) must be 1 to 10000, it is \(count)")
    }
  }

  /// The files to write, made sure of before the work.
  func files() throws -> (picture: OutputFile, strip: OutputFile?) {
    (try OutputFile(out), try strip.map { try OutputFile($0) })
  }

  /// Draws how each of `images` came into being to `file`, if there is one.
  func writeStrip(
    to file: OutputFile?, of images: [PNGImage], mask: PixelMask, order: NamedOrder, log: Logger
  ) throws {
    guard let file else { return }
    let rows = images.prefix(Self.mostStrips).map { mask.stages(of: $0, order: order.order, count: stages) }
    try file.write(ImageGrid(scale: scale).picture(rows: rows))
    log.info("\(file.path): \(rows.count) images in \(stages) stages")
  }

  /// A taller picture shows nothing more.
  private static let mostStrips = 64
}
