import ArgumentParser
import Configuration
import Datasets
import Evaluation
import Foundation
import Imaging
import Kernels
import Orders
import Sampling
import Tensors
import Training

/// How pixels are generated, given on the command line.
struct GenerationOptions: ParsableArguments {
  @Option(parsing: .unconditional, help: "Variant of the order to generate in, 0 to 7.")
  var variant = 0

  @Option(
    parsing: .unconditional, help: "1 samples from the model; less is more typical, 0 takes the most probable values.")
  var temperature = 1.0

  @Option(parsing: .unconditional, help: "Seed of the samples: the same seed gives the same pictures.")
  var seed: UInt64 = 1

  @Option(parsing: .unconditional, help: "How much larger a pixel is drawn.")
  var scale = 3

  @Option(name: .shortAndLong, help: ArgumentHelp("PNG file to write.", valueName: "file"))
  var out: String

  func validate() throws {
    guard OrderVariant(rawValue: variant) != nil else {
      throw ValidationError("'\(variant)' is no variant of an order; variants are 0 to 7")
    }
    guard temperature >= 0 && temperature.isFinite else {
      throw ValidationError("--temperature must not be negative, it is \(temperature)")
    }
    guard (1...64).contains(scale) else { throw ValidationError("--scale must be 1 to 64, it is \(scale)") }
  }

  /// Checks how many images, or completions of each, are asked for: what a picture can show.
  static func validate(_ option: String, _ count: Int) throws {
    guard (1...10_000).contains(count) else {
      throw ValidationError("\(option) must be 1 to 10000, it is \(count)")
    }
  }
}

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

      The picture's rows are what was observed, the completions, and the true images. Dark or transparent pixels of a \
      PNG mask are missing.
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var generation: GenerationOptions

  @Option(
    help: ArgumentHelp(
      "What is missing: top, bottom, left, right, center, row,column,height,width, or a PNG mask; may be repeated.",
      valueName: "region"))
  var missing: [String] = []

  @Option(parsing: .unconditional, help: "First test image.")
  var first = 0

  @Option(parsing: .unconditional, help: "Test images to complete.")
  var count = 8

  @Option(parsing: .unconditional, help: "Completions of each image.")
  var samples = 1

  func validate() throws {
    guard !missing.isEmpty else { throw ValidationError("nothing is missing; pass --missing bottom, for example") }
    guard first >= 0 else { throw ValidationError("--first must not be negative, it is \(first)") }
    try GenerationOptions.validate("--count", count)
    try GenerationOptions.validate("--samples", samples)
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run(timeoutSeconds: 600) { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let test = model.experiment.test
      guard first < test.count && count <= test.count - first else {
        throw CommandError.imagesOutside(first: first, count: count, available: test.count)
      }
      let mask = try PixelMask(regions: missing, size: test.size)
      let file = communicator.rank == 0 ? try OutputFile(generation.out) : nil
      let order = try OrderSelection.order(
        model.experiment.configuration.orders, variant: generation.variant, size: test.size)
      var truth = [UInt8](repeating: 0, count: count * test.valuesPerImage)
      test.fill(
        levels: &truth, images: Array(first..<(first + count))[...],
        key: .evaluation(seed: model.experiment.configuration.seed))
      // Every sample of every image is an image of the batch, with a random stream of its own.
      var batch: [UInt8] = []
      for _ in 0..<samples { batch += truth }
      let completed = try Generation(model, order: order.order, options: generation, threads: options.threads)
        .complete(batch, missing: Set(mask.missingPixels), over: communicator, stopSignal: stopSignal, log: log)
      guard let file else { return }
      let truths = pictures(truth, of: test)
      let contexts = truths.map { mask.hidingMissing(in: $0) }
      let rows = pictures(completed, of: test)
      let grid = ImageGrid.completions(
        contexts: contexts,
        completions: (0..<samples).map { Array(rows[($0 * count)..<(($0 + 1) * count)]) }, truths: truths,
        scale: generation.scale)
      try file.write(grid)
      log.info("\(file.path): observed, completed and true, \(count) images, order \(order.name)")
    }
  }
}

/// `lmconv sample`
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Generate images from nothing.",
    discussion: """
      Examples:
        lmconv sample runs/digits --count 16 --out samples.png
        lmconv sample runs/digits --variant 5 --temperature 0.7 --out other.png
      """)

  @OptionGroup var options: ModelOptions
  @OptionGroup var generation: GenerationOptions

  @Option(parsing: .unconditional, help: "Images to generate.")
  var count = 16

  func validate() throws {
    try GenerationOptions.validate("--count", count)
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run(timeoutSeconds: 600) { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let test = model.experiment.test
      let order = try OrderSelection.order(
        model.experiment.configuration.orders, variant: generation.variant, size: test.size)
      let file = communicator.rank == 0 ? try OutputFile(generation.out) : nil
      let blank = [UInt8](repeating: 0, count: count * test.valuesPerImage)
      let samples = try Generation(model, order: order.order, options: generation, threads: options.threads)
        .complete(blank, missing: Set(0..<test.size.pixels), over: communicator, stopSignal: stopSignal, log: log)
      guard let file else { return }
      let images = pictures(samples, of: test)
      let columns = min(count, max(4, Int(Double(count).squareRoot().rounded(.up))))
      let rows = stride(from: 0, to: count, by: columns).map { Array(images[$0..<min($0 + columns, count)]) }
      try file.write(ImageGrid(scale: generation.scale).picture(rows: rows))
      log.info("\(file.path): \(count) samples, order \(order.name), temperature \(generation.temperature)")
    }
  }
}
