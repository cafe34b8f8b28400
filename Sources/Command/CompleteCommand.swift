import ArgumentParser
import Collectives
import Datasets
import Foundation
import Imaging
import Orders
import Training

/// `lmconv complete`
struct CompleteCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "complete",
    abstract: "Fill in missing pixels of test images, each conditioned on all observed ones.",
    discussion: """
      Examples:
        lmconv complete runs/digits --missing bottom --count 16 --out completions.png
        lmconv complete runs/digits --missing 8,8,12,12 --samples 4 --out boxes.png
        lmconv complete runs/digits --missing mask.png --out masked.png
        lmconv complete runs/digits --observed '3,4;3,5;20,11' --order hilbert --strip strip.png --out pixels.png
        lmconv complete runs/digits --missing right --images mine.png --out completed.png

      The picture's rows are what was observed, the completions, and the true images. Dark or transparent pixels of a \
      PNG mask are missing. The observed pixels come first in the order, whatever order is asked for. A .npy file gets the \
      completions alone, [samples, images, rows, columns(, channels)].
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var generation: GenerationOptions

  @Option(
    help: ArgumentHelp(
      "What is missing: top, bottom, left, right, center, a box row,column,height,width, a pixel row,column, several of "
        + "these with ; between them, or a PNG mask; may be repeated.",
      valueName: "region"))
  var missing: [String] = []

  @Option(help: ArgumentHelp("What is observed; all else is missing. May be repeated.", valueName: "region"))
  var observed: [String] = []

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp("Complete these \(Pictures.forms), of one size.", valueName: "file ..."))
  var images: [String] = []

  @Option(parsing: .unconditional, help: "First test image (default: 0).")
  var first: Int?

  @Option(parsing: .unconditional, help: "Test images to complete (default: 8).")
  var count: Int?

  @Option(parsing: .unconditional, help: "Completions of each image.")
  var samples = 1

  func validate() throws {
    guard !missing.isEmpty || !observed.isEmpty else {
      throw ValidationError("nothing is missing; pass --missing bottom, for example")
    }
    guard missing.isEmpty || observed.isEmpty else { throw ValidationError("pass --missing or --observed, not both") }
    guard images.isEmpty || (first == nil && count == nil) else {
      throw ValidationError("--first and --count choose test images; with --images there are none")
    }
    guard (first ?? 0) >= 0 else { throw ValidationError("--first must not be negative, it is \(first ?? 0)") }
    try GenerationOptions.validate("--count", count ?? Self.defaultCount)
    try GenerationOptions.validate("--samples", samples)
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let (truth, size) = try truth(model.experiment)
      let mask =
        observed.isEmpty
        ? try PixelMask(regions: missing, size: size) : try PixelMask(regions: observed, size: size).inverted
      let files = communicator.rank == 0 ? try generation.files() : nil
      let order = try generation.order.named(model.experiment.configuration.orders, size: size)
      // Every sample of every image is an image of the batch, with a random stream of its own.
      var batch: [UInt8] = []
      for _ in 0..<samples { batch += truth }
      let completed = try Generation(model, order: order, options: generation, threads: options.threads)
        .complete(batch, missing: Set(mask.missingPixels), over: communicator, stopSignal: stopSignal, log: log)
      guard let files else { return }
      let levels = PictureLevels(model.experiment.network.configuration)
      let truths = levels.pictures(truth, size: size)
      let count = truths.count
      let contexts = truths.map { mask.hidingMissing(in: $0) }
      let rows = levels.pictures(completed, size: size)
      if Pictures.isArray(files.picture.path) {
        try files.picture.write(NPYArray(pictures: rows, outer: [samples, count]).encoded)
      } else {
        let grid = ImageGrid.completions(
          contexts: contexts,
          completions: (0..<samples).map { Array(rows[($0 * count)..<(($0 + 1) * count)]) }, truths: truths,
          scale: generation.scale)
        try files.picture.write(grid)
      }
      log.info("\(files.picture.path): observed, completed and true, \(count) images, order \(order.name)")
      try generation.writeStrip(to: files.strip, of: rows, mask: mask, order: order, log: log)
    }
  }

  private static let defaultCount = 8

  /// The images to complete, `[images, pixels, channels]`.
  private func truth(_ experiment: Experiment) throws -> (levels: [UInt8], size: ImageSize) {
    guard images.isEmpty else {
      return try PictureLevels(experiment.network.configuration).read(images, quantizes: true)
    }
    return (
      try experiment.testLevels(first: first ?? 0, count: count ?? Self.defaultCount), experiment.test.size
    )
  }
}
