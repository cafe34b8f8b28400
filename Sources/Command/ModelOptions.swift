import ArgumentParser
import Checkpoints
import Configuration
import Logging
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

  @Option(help: "Threads of each rank; 0 divides the host's cores among its ranks.")
  var threads = 0

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
    let opened = try OpenedModel.open(path: model, choice: checkpoint)
    for skipped in opened.skipped { log.warning("passed over: \(skipped.reason)") }
    let configuration: RunConfiguration
    if let config {
      configuration = try RunConfiguration(contentsOf: config, overrides: overrides)
    } else {
      guard let yaml = opened.configuration else { throw CommandError.noConfiguration(path: opened.path) }
      configuration = try RunConfiguration(yaml: yaml, path: opened.path, overrides: overrides)
    }
    let experiment = try Experiment(configuration)
    let layout = experiment.network.layout
    let parameters = FloatBuffer(count: layout.count)
    switch (weights, opened.ema) {
    case (.ema, nil): throw CommandError.noAverage(path: opened.path)
    case (.auto, let ema?), (.ema, let ema?): try ema.copy(to: parameters, layout: layout)
    case (.raw, _), (.auto, nil): try opened.parameters.copy(to: parameters, layout: layout)
    }
    return Opened(
      path: opened.path, step: opened.state?.step, experiment: experiment, parameters: parameters,
      isAverage: weights != .raw && opened.ema != nil)
  }
}
