import ArgumentParser
import Checkpoints
import Configuration
import Foundation
import Kernels
import Logging
import Model
import Tensors
import Training

/// Which weights of a checkpoint are used.
enum WeightChoice: String, ExpressibleByArgument, CaseIterable {
  /// The moving average if there is one.
  case auto
  /// The moving average.
  case ema
  /// The weights themselves.
  case raw
}

extension OpenedModel.Choice: ExpressibleByArgument {}

/// A trained model, given on the command line.
struct ModelOptions: ParsableArguments {
  @Argument(help: "A run's folder, a checkpoint's folder, or a model.safetensors file.")
  var model: String

  @Option(help: ArgumentHelp("Which checkpoint of a run.", valueName: "newest|best"))
  var checkpoint = OpenedModel.Choice.newest

  @Option(help: "Which weights: the moving average (ema), those trained (raw), or the average if there is one (auto).")
  var weights = WeightChoice.auto

  @Option(help: ArgumentHelp("Configuration, where the model does not hold it.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the configuration; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(parsing: .unconditional, help: "Threads of each rank; 0 divides the host's cores among its ranks.")
  var threads = 0

  func validate() throws {
    guard (0...1024).contains(threads) else { throw ValidationError("--threads must be 0 to 1024, it is \(threads)") }
  }

  /// The threads of a command that runs on one process.
  func pool() -> ThreadPool { ThreadPool(threads: threads > 0 ? threads : HostThreads.cores) }

  /// A model with all that is needed to use it.
  struct Opened {
    let path: String
    let step: Int?
    let experiment: Experiment
    let parameters: FloatBuffer
    let isAverage: Bool
  }

  /// Opens the model and the data it was trained on.
  ///
  /// - Throws: when any of it cannot be read, or does not fit.
  func open(log: Logger) throws -> Opened {
    let opened = try Self.opened(model, checkpoint)
    for skipped in opened.skipped { log.warning("\(skipped)") }
    let configuration: RunConfiguration
    if let config {
      configuration = try RunConfiguration(contentsOf: config, overrides: overrides)
    } else {
      guard let yaml = opened.configuration else { throw CommandError.noConfiguration(path: opened.path) }
      configuration = try RunConfiguration(yaml: yaml, path: opened.path, overrides: overrides)
    }
    let missing = configuration.missingFiles()
    guard missing.isEmpty else { throw CommandError.missingFiles(model: opened.path, faults: missing) }
    let experiment = try Experiment(configuration)
    experiment.test.logSkipped(log)
    let layout = experiment.network.layout
    let parameters = FloatBuffer(count: layout.count)
    try Self.weights(weights, of: opened).copy(to: parameters, layout: layout)
    return Opened(
      path: opened.path, step: opened.state?.step, experiment: experiment, parameters: parameters,
      isAverage: weights != .raw && opened.ema != nil)
  }

  /// A second model of the same images, without the data that it was trained on.
  struct Background {
    let configuration: RunConfiguration
    let network: AutoregressiveNetwork
    let parameters: FloatBuffer
  }

  /// Opens the model at `path`, which must be of images as those of `model` are.
  ///
  /// - Throws: when it cannot be read, or is of other images.
  func openBackground(_ path: String, of model: Opened, log: Logger) throws -> Background {
    let opened = try Self.opened(path, checkpoint)
    for skipped in opened.skipped { log.warning("\(skipped)") }
    guard let yaml = opened.configuration else { throw CommandError.noConfiguration(path: opened.path) }
    let configuration = try RunConfiguration(yaml: yaml, path: opened.path)
    let network = AutoregressiveNetwork(configuration.modelConfiguration(channels: model.experiment.test.channels))
    let (found, expected) = (network.configuration.distribution, model.experiment.network.configuration.distribution)
    guard found.levels == expected.levels else {
      throw ScoreError.otherBackground(path: opened.path, found: found.levels, expected: expected.levels)
    }
    let parameters = FloatBuffer(count: network.layout.count)
    try Self.weights(weights == .raw ? .raw : .auto, of: opened).copy(to: parameters, layout: network.layout)
    return Background(configuration: configuration, network: network, parameters: parameters)
  }

  /// Opens what is at `path`.
  ///
  /// - Throws: when there is nothing, or it is no valid model.
  static func opened(_ path: String, _ choice: OpenedModel.Choice) throws -> OpenedModel {
    guard FileManager.default.fileExists(atPath: path) else { throw CommandError.noModel(path: path) }
    return try OpenedModel.open(path: path, choice: choice)
  }

  /// The weights of `opened` that `choice` means.
  ///
  /// - Throws: when the average is asked for and there is none.
  static func weights(_ choice: WeightChoice, of opened: OpenedModel) throws -> SafetensorsFile {
    switch (choice, opened.ema) {
    case (.ema, nil): throw CommandError.noAverage(path: opened.path)
    case (.auto, let ema?), (.ema, let ema?): return ema
    case (.raw, _), (.auto, nil): return opened.parameters
    }
  }
}
