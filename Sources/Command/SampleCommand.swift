import ArgumentParser
import Collectives
import Foundation
import Imaging
import Orders
import Training

/// `lmconv sample`
struct SampleCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "sample",
    abstract: "Generate images from nothing.",
    discussion: """
      Examples:
        lmconv sample runs/digits --count 16 --out samples.png
        lmconv sample runs/digits --count 1000 --out samples.npy
        lmconv sample runs/digits --order hilbert/5 --temperature 0.7 --out other.png
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
    Job.run { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let test = model.experiment.test
      let order = try generation.order.named(model.experiment.configuration.orders, size: test.size)
      let files = communicator.rank == 0 ? try generation.files() : nil
      let blank = [UInt8](repeating: 0, count: count * test.valuesPerImage)
      let samples = try Generation(model, order: order, options: generation, threads: options.threads)
        .complete(blank, missing: Set(0..<test.size.pixels), over: communicator, stopSignal: stopSignal, log: log)
      guard let files else { return }
      let images = PictureLevels(model.experiment.network.configuration).pictures(samples, size: test.size)
      let columns = min(count, max(4, Int(Double(count).squareRoot().rounded(.up))))
      let rows = stride(from: 0, to: count, by: columns).map { Array(images[$0..<min($0 + columns, count)]) }
      if Pictures.isArray(files.picture.path) {
        try files.picture.write(NPYArray(pictures: images).encoded)
      } else {
        try files.picture.write(ImageGrid(scale: generation.scale).picture(rows: rows))
      }
      log.info("\(files.picture.path): \(count) samples, order \(order.name), temperature \(generation.temperature)")
      let mask = PixelMask(size: test.size, isMissing: [Bool](repeating: true, count: test.size.pixels))
      try generation.writeStrip(to: files.strip, of: images, mask: mask, order: order, log: log)
    }
  }
}
