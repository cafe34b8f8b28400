import ArgumentParser
import Checkpoints
import Configuration
import Foundation
import Training

/// `lmconv diff`
struct DiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "Compare two checkpoints bit by bit: tensors, state and configuration.",
    discussion: """
      Examples:
        # the newest checkpoints of two runs
        lmconv diff runs/on-two-ranks runs/on-four
        lmconv diff runs/digits/checkpoints/step-00000500 runs/digits/checkpoints/step-00000600
        lmconv diff model.safetensors other.safetensors --json

      Time spent, and configuration keys that change no result, are not compared.
      Exit code: 0 if they are the same, 1 if they differ or cannot be read.
      """)

  @Argument(help: "A run's folder (its newest valid checkpoint), a checkpoint's folder, or a .safetensors file.")
  var first: String

  @Argument(help: "What to compare it with.")
  var second: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  private struct StateDifference: Encodable {
    let key: String
    let first: String
    let second: String
  }

  private struct Report: Encodable {
    let first: String
    let second: String
    let same: Bool
    let tensors: [TensorDifference]
    let state: [StateDifference]
  }

  func run() throws {
    let (left, right) = (try open(first), try open(second))
    let tensors = try tensorDifferences(left, right)
    let state = try stateDifferences(left.state, right.state)
    let report = Report(
      first: left.path, second: right.path, same: tensors.isEmpty && state.isEmpty, tensors: tensors, state: state)
    if json {
      try JSONOutput.print(report)
    } else {
      print(Self.text(report))
    }
    guard report.same else { Foundation.exit(ExitStatus.failure) }
  }

  /// A checkpoint, or a file as the parameters of one.
  private struct Side {
    let path: String
    let files: [(name: String, content: SafetensorsFile)]
    let state: CheckpointState?
  }

  private func open(_ path: String) throws -> Side {
    guard FileManager.default.fileExists(atPath: path) else { throw CommandError.noModel(path: path) }
    let opened = try OpenedModel.open(path: path)
    guard let state = opened.state else {
      return Side(path: path, files: [("model.safetensors", opened.parameters)], state: nil)
    }
    // What was opened has no optimizer: nothing but training and this needs it.
    let contents = try Checkpoint(contentsOf: opened.path).contents
    var files = [("model.safetensors", contents.parameters)]
    if let ema = contents.ema { files.append(("ema.safetensors", ema)) }
    if let optimizer = contents.optimizer { files.append(("optimizer.safetensors", optimizer)) }
    return Side(path: opened.path, files: files, state: state)
  }

  private func tensorDifferences(_ left: Side, _ right: Side) throws -> [TensorDifference] {
    var differences: [TensorDifference] = []
    var names = left.files.map(\.name)
    names += right.files.map(\.name).filter { !names.contains($0) }
    // A file against a checkpoint: its parameters alone.
    if left.state == nil || right.state == nil { names = ["model.safetensors"] }
    for name in names {
      let a = left.files.first { $0.name == name }?.content ?? SafetensorsFile()
      let b = right.files.first { $0.name == name }?.content ?? SafetensorsFile()
      differences += TensorDifference.differences(of: name, a, b)
    }
    return differences
  }

  private func stateDifferences(_ left: CheckpointState?, _ right: CheckpointState?) throws -> [StateDifference] {
    guard let left, let right else { return [] }
    func text(_ value: Double?) -> String { value.map { "\($0)" } ?? "none" }
    let counters = Set(left.counters.keys).union(right.counters.keys).sorted().map {
      ("counters.\($0)", "\(left.counters[$0] ?? 0)", "\(right.counters[$0] ?? 0)")
    }
    let values =
      [
        ("format_version", "\(left.formatVersion)", "\(right.formatVersion)"),
        ("step", "\(left.step)", "\(right.step)"),
        ("epoch", "\(left.epoch)", "\(right.epoch)"), ("seed", "\(left.seed)", "\(right.seed)"),
        ("data_hash", left.datasetHash, right.datasetHash), ("metric", text(left.metric), text(right.metric)),
        ("best_metric", text(left.bestMetric), text(right.bestMetric)),
        ("images_seen", "\(left.imagesSeen)", "\(right.imagesSeen)"),
      ] + counters
    let configuration = try RunConfiguration(yaml: right.configuration, path: second)
      .differences(from: RunConfiguration(yaml: left.configuration, path: first))
    return values.filter { $0.1 != $0.2 }.map { StateDifference(key: $0.0, first: $0.1, second: $0.2) }
      + configuration.filter(\.key.isDefining)
      .map { StateDifference(key: "configuration.\($0.key.path)", first: $0.old, second: $0.new) }
  }

  private static func text(_ report: Report) -> String {
    guard !report.same else { return "\(report.first) and \(report.second) are the same, bit for bit" }
    var lines = ["\(report.first) and \(report.second) differ"]
    if !report.state.isEmpty {
      lines.append(
        TextTable.text([["state", "first", "second"]] + report.state.map { [$0.key, $0.first, $0.second] }))
    }
    if !report.tensors.isEmpty {
      let rows = report.tensors.map { difference in
        [
          difference.file, difference.tensor, difference.kind ?? "\(difference.elements) of \(difference.count)",
          difference.kind == nil ? String(format: "%.4g", difference.largestDifference) : "",
          difference.kind == nil ? "\(difference.largestUlps)" : "",
        ]
      }
      lines.append(
        TextTable.text([["file", "tensor", "elements", "max abs", "max ulps"]] + rows, rightAligned: [3, 4]))
    }
    return lines.joined(separator: "\n")
  }
}
