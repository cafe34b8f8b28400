import ArgumentParser
import Collectives
import Configuration
import Datasets
import Evaluation
import Foundation
import Imaging
import Kernels
import Logging
import Orders
import Tensors
import Training

/// `lmconv score`
struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Anomaly scores of images from their likelihood, by all ranks.",
    discussion: """
      Examples:
        lmconv score runs/digits a.png b.png --out scores.csv
        lmconv score runs/digits --split test --against letters/ --histogram scores.png
        mpirun -n 2 lmconv score runs/digits --split test --against mnist:fashion --background runs/background --json
        lmconv score runs/digits --split test --anomalous-classes 3,8 --out scores.npy

      Scores are in bits per dimension, and higher is more anomalous: bpd, the negative log likelihood under the ensemble \
      of orders; typicality, its distance from the mean of training images; complexity_corrected, bpd less what PNG \
      needs; likelihood_ratio, bpd less that of a background model. Plain bpd often ranks the wrong way round: \
      docs/scores.md says why, and which score to trust when.

      Images are prepared as the model's own: lower bits dropped, binarized as data.binarize says. With anomalous images \
      to compare (--against, --anomalous-classes, --labels), the area under the ROC curve of each score is exact, ties \
      counting half.
      """)

  @OptionGroup var options: ModelOptions

  @Argument(help: ArgumentHelp("\(Pictures.forms), of the size of the model's images."))
  var images: [String] = []

  @Option(help: ArgumentHelp("Score images of the model's data set instead of files.", valueName: "train|test"))
  var split: Split?

  @Option(parsing: .unconditional, help: "First image of the set.")
  var first = 0

  @Option(parsing: .unconditional, help: "Images of the set; 0 takes all from the first on.")
  var count = 0

  @Option(
    help: ArgumentHelp(
      "Anomalous images to compare with: train or test of the model's set, the test images of SET:FOLDER (mnist, cifar10, "
        + "digits), a PNG file, a folder or a .npy file; may be repeated.", valueName: "images"))
  var against: [String] = []

  @Option(help: ArgumentHelp("Classes of the set that are anomalous.", valueName: "n,n,..."))
  var anomalousClasses: String?

  @Option(help: ArgumentHelp("File that says which images are anomalous: a line 0 or 1 for each.", valueName: "file"))
  var labels: String?

  @Option(
    help: ArgumentHelp(
      "A second model, for likelihood_ratio: a run's folder, a checkpoint's folder or a safetensors file.",
      valueName: "model"))
  var background: String?

  @Option(
    parsing: .unconditional,
    help: "Training images whose mean bpd is typical; 0 takes all. The first ones are taken.")
  var typicalImages = 1000

  @Option(parsing: .unconditional, help: "That mean, where it is known: training images are then not read.")
  var typicalBpd: Double?

  @Option(
    parsing: .upToNextOption,
    help: ArgumentHelp(
      "Orders of the ensemble (default: each model's orders.test), each \(OrderChoice.forms).",
      valueName: "order,order,..."))
  var orders: [String] = []

  @Option(
    parsing: .unconditional,
    help: "Images at once on each rank; changes memory, no result (default: evaluation.batch_size).")
  var batchSize: Int?

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Write each image's scores to this .csv or .npy file.", valueName: "file"))
  var out: String?

  @Option(help: ArgumentHelp("Draw the scores' histograms to this PNG file.", valueName: "file"))
  var histogram: String?

  @Flag(help: "Print means and areas as JSON.")
  var json = false

  func validate() throws {
    guard images.isEmpty != (split == nil) else {
      throw ValidationError("name images or pass --split test, one of the two")
    }
    guard split != nil || (first == 0 && count == 0) else {
      throw ValidationError("--first and --count choose images of a set; pass --split as well")
    }
    guard first >= 0 && count >= 0 else { throw ValidationError("--first and --count must not be negative") }
    guard split != nil || anomalousClasses == nil else {
      throw ValidationError("--anomalous-classes goes with --split; for files there is --labels")
    }
    guard anomalousClasses == nil || labels == nil else {
      throw ValidationError("pass --anomalous-classes or --labels, not both")
    }
    guard batchSize.map({ $0 > 0 }) ?? true else { throw ValidationError("--batch-size must be positive") }
    guard typicalImages >= 0 else { throw ValidationError("--typical-images must not be negative") }
    guard typicalBpd.map({ $0 >= 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--typical-bpd must be 0 or more")
    }
    _ = try OrderArguments.choices(orders)
    _ = try classes()
  }

  func run() throws {
    let stopSignal = StopSignal()
    Job.run(timeoutSeconds: 600) { communicator in
      let log = RunLog(rank: communicator.rank, size: communicator.size).logger(level: .info)
      let model = try options.open(log: log)
      let configuration = model.experiment.configuration
      communicator.timeoutSeconds = max(communicator.timeoutSeconds, configuration.run.timeoutSeconds)
      let outFile = try communicator.rank == 0 ? out.map { try OutputFile($0) } : nil
      let histogramFile = try communicator.rank == 0 ? histogram.map { try OutputFile($0) } : nil
      let sources = try sources(model.experiment)
      let scoring = try Scoring(
        model: model, background: background.map { try options.openBackground($0, of: model, log: log) },
        orders: OrderArguments.choices(orders), seed: configuration.seed,
        batchSize: batchSize ?? configuration.evaluation.batchSize,
        threads: HostThreads.count(requested: options.threads, communicator: communicator),
        communicator: communicator, stopSignal: stopSignal)
      let result: ScoreResult
      do {
        let typical = try typicalBpd.map { ScoreResult.Typical(bitsPerDimension: $0) } ?? scoring.typical(typicalImages)
        let scores = try sources.map { try scoring.score($0, typical: typical.bitsPerDimension) }
        result = ScoreResult(model, background: background, typical: typical, sources: sources, scores: scores)
      } catch let error as EvaluationError {
        guard case .interrupted = error else { throw error }
        log.info("\(error)")
        try Job.leave(communicator, status: ExitStatus.stopped)
      }
      guard communicator.rank == 0 else { return }
      if let outFile {
        try outFile.write(Pictures.isArray(outFile.path) ? result.array.encoded : Array(result.csv.utf8))
      }
      if let histogramFile { try histogramFile.write(result.picture) }
      if json { try JSONOutput.print(result.summary) } else { print(result.text) }
    }
  }

  private func sources(_ experiment: Experiment) throws -> [ScoreSource] {
    var main: ScoreSource
    if let split {
      main = try .split(split, of: experiment, range: range(ofSet:), anomalousClasses: classes())
    } else {
      let name = images.count == 1 ? images[0] : "images"
      main = try .pictures(images, name: name, for: experiment, areAnomalous: false)
    }
    if let labels { try main.readLabels(labels) }
    return try [main] + against.map { try .against($0, for: experiment) }
  }

  private func range(ofSet available: Int) throws -> Range<Int> {
    guard first < available && count <= available - first else {
      throw CommandError.imagesOutside(first: first, count: max(count, 1), available: available)
    }
    return first..<(count == 0 ? available : first + count)
  }

  private func classes() throws -> Set<Int> {
    guard let anomalousClasses else { return [] }
    return Set(
      try anomalousClasses.split(separator: ",", omittingEmptySubsequences: false).map { word in
        guard let number = Int(word), (0...Int(UInt8.max)).contains(number) else {
          throw ValidationError("'\(word)' is no class; classes are 0 to 9")
        }
        return number
      })
  }
}
