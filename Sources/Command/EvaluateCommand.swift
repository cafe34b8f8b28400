import ArgumentParser
import Collectives
import Configuration
import Datasets
import Evaluation
import Foundation
import Imaging
import Kernels
import Orders
import Tensors
import Training

/// `lmconv evaluate`
struct EvaluateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "evaluate",
    abstract: "Likelihood of the test images under single orders and their ensemble, by all ranks.",
    discussion: """
      Examples:
        lmconv evaluate runs/digits
        mpirun -n 2 lmconv evaluate runs/digits --orders 0,3 --json
        # orders that were not trained with
        lmconv evaluate runs/digits --orders raster_scan,gilbert2d/5,random:8
        # log p(top half | bottom half)
        lmconv evaluate runs/digits --region top --orders 1,3
        lmconv evaluate runs/digits --per-image likelihoods.csv

      Every image counts once. Nats are the mean negative log likelihood of an image, bpd the same in bits per \
      dimension, +- the standard error over images.
      """)

  @OptionGroup var options: ModelOptions

  @Option(
    name: [.customLong("orders"), .customLong("variants")], parsing: .upToNextOption,
    help: ArgumentHelp(
      "Orders of the ensemble (default: orders.test), each \(OrderChoice.forms).", valueName: "order,order,..."))
  var orders: [String] = []

  @Option(
    help: ArgumentHelp(
      "Only these pixels, given all others: top, bottom, left, right, center, row,column,height,width, or a PNG mask "
        + "whose dark pixels they are; may be repeated.", valueName: "region"))
  var region: [String] = []

  @Option(help: ArgumentHelp("The training or the test images.", valueName: "train|test"))
  var split = Split.test

  @Option(parsing: .unconditional, help: "First image to evaluate.")
  var first = 0

  @Option(parsing: .unconditional, help: "Images to evaluate; 0 takes all from the first on.")
  var images = 0

  @Option(
    parsing: .unconditional,
    help: "Images at once on each rank; changes memory, no result (default: evaluation.batch_size).")
  var batchSize: Int?

  @Option(help: ArgumentHelp("Write each image's likelihoods to this .csv or .npy file.", valueName: "file"))
  var perImage: String?

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    guard first >= 0 && images >= 0 else { throw ValidationError("--first and --images must not be negative") }
    guard batchSize.map({ $0 > 0 }) ?? true else { throw ValidationError("--batch-size must be positive") }
    _ = try OrderArguments.choices(orders)
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let configuration = model.experiment.configuration
      communicator.timeoutSeconds = configuration.run.timeoutSeconds
      let dataset = try split == .test ? model.experiment.test : model.experiment.loadTrainingImages()
      let range = try imageRange(of: dataset)
      let perImageFile = try communicator.rank == 0 ? perImage.map { try OutputFile($0) } : nil
      let orders = try orders(model.experiment, size: dataset.size)
      let evaluation = LikelihoodEvaluation(
        network: model.experiment.network, size: dataset.size,
        batchSize: batchSize ?? configuration.evaluation.batchSize, communicator: communicator,
        pool: ThreadPool(threads: HostThreads.count(requested: options.threads, communicator: communicator)))
      let report: LikelihoodReport
      do {
        report = try evaluation.evaluate(
          parameters: model.parameters, dataset: dataset, images: range, orders: orders,
          region: try regionPixels(size: dataset.size), seed: configuration.seed,
          shouldStop: { stopSignal.isReceived })
      } catch let error as EvaluationError {
        guard case .interrupted = error else { throw error }
        if communicator.rank == 0 { log.info("\(error)") }
        try Job.leave(communicator, status: ExitStatus.stopped)
      }
      guard communicator.rank == 0 else { return }
      if let perImageFile {
        try perImageFile.write(perImageBytes(report, asArray: Pictures.isArray(perImageFile.path)))
      }
      try show(LikelihoodSummary(report, imagesInSet: dataset.count), model: model)
    }
  }

  private func imageRange(of dataset: ImageDataset) throws -> Range<Int> {
    guard first < dataset.count && images <= dataset.count - first else {
      throw CommandError.imagesOutside(first: first, count: max(images, 1), available: dataset.count)
    }
    return first..<(images == 0 ? dataset.count : first + images)
  }

  private func orders(_ experiment: Experiment, size: ImageSize) throws -> [NamedOrder] {
    let choices = try OrderArguments.choices(self.orders)
    guard !choices.isEmpty else { return experiment.orders.test }
    return try OrderSelection.orders(choices, experiment.configuration.orders, size: size)
  }

  private func regionPixels(size: ImageSize) throws -> Set<Int>? {
    region.isEmpty ? nil : Set(try PixelMask(regions: region, size: size).missingPixels)
  }

  /// Nats of each image under the ensemble and under each order, as CSV or for NumPy.
  private func perImageBytes(_ report: LikelihoodReport, asArray: Bool) -> [UInt8] {
    let nats =
      [("ensemble", report.ensemble.map { -$0 })]
      + report.orders.enumerated().map { ($1, report.logLikelihoods(order: $0).map { -$0 }) }
    guard !asArray else { return NPYTable(columns: [("image", report.images.map(Double.init))] + nats).encoded }
    var text = (["image"] + nats.map(\.0)).joined(separator: ",") + "\n"
    for (index, image) in report.images.enumerated() {
      text += nats.reduce("\(image)") { "\($0),\($1.1[index])" } + "\n"
    }
    return Array(text.utf8)
  }

  private func show(_ summary: LikelihoodSummary, model: ModelOptions.Opened) throws {
    if json {
      return try JSONOutput.print(
        EvaluationResult(
          summary: summary, model: model.path, step: model.step, weights: model.isAverage ? .ema : .raw, split: split,
          region: region))
    }
    print("\(model.path), \(model.isAverage ? "moving average" : "raw weights")")
    let entries = summary.orders + (summary.orders.count > 1 ? [summary.meanOfOrders, summary.ensemble] : [])
    print(TextTable.text(entries.map { [$0.order, $0.described] }))
    print("\(summary.images) of \(summary.imagesInSet) images\(region.isEmpty ? "" : ", given all but the region")")
  }
}

extension Split: ExpressibleByArgument {}

/// What `lmconv evaluate --json` prints: the summary's keys, and of what they are.
private struct EvaluationResult: Encodable {
  let summary: LikelihoodSummary
  let model: String
  let step: Int?
  let weights: WeightChoice
  let split: Split
  let region: [String]

  private enum CodingKeys: String, CodingKey {
    case model, step, weights, split, region
  }

  func encode(to encoder: any Encoder) throws {
    try summary.encode(to: encoder)
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(model, forKey: .model)
    try container.encodeIfPresent(step, forKey: .step)
    try container.encode(weights.rawValue, forKey: .weights)
    try container.encode(split, forKey: .split)
    try container.encode(region, forKey: .region)
  }
}
