import ArgumentParser
import Checkpoints
import Configuration
import Foundation
import Training

/// `lmconv info`
struct InfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract:
      "Describe a checkpoint: its progress, files, parameters and configuration, and its run's other checkpoints.",
    discussion: """
      Examples:
        lmconv info runs/digits
        lmconv info runs/digits --checkpoint best --json
        # norms and ranges of every tensor
        lmconv info runs/digits/checkpoints/step-00000600 --tensors
        lmconv info runs/digits --configuration > again.yaml
      """)

  @Argument(help: "A run's folder, a checkpoint's folder, or a model.safetensors file.")
  var model: String

  @Option(help: ArgumentHelp("Which checkpoint of a run.", valueName: "newest|best"))
  var checkpoint = OpenedModel.Choice.newest

  @Option(help: "Whose tensors: the moving average (ema), those trained (raw), or the average if there is one (auto).")
  var weights = WeightChoice.auto

  @Flag(help: "List every tensor: shape, norm, least and greatest value, values that are not finite.")
  var tensors = false

  @Flag(name: .customLong("configuration"), help: "Print only the configuration, as YAML.")
  var printsConfiguration = false

  @Flag(help: "Print the description as JSON.")
  var json = false

  func validate() throws {
    guard !(printsConfiguration && (json || tensors)) else {
      throw ValidationError("--configuration prints nothing else; leave out --json and --tensors")
    }
  }

  func run() throws {
    let opened = try ModelOptions.opened(model, checkpoint)
    if printsConfiguration {
      guard let yaml = opened.configuration else { throw CommandError.noConfiguration(path: opened.path) }
      print(yaml, terminator: yaml.hasSuffix("\n") ? "" : "\n")
      return
    }
    let description = try ModelDescription(
      opened, of: model, weights: tensors ? ModelOptions.weights(weights, of: opened) : nil)
    if json {
      try JSONOutput.print(description)
    } else {
      print(description.text)
    }
  }
}
