import Checkpoints
import Configuration
import Foundation
import Training

/// What `lmconv info` says of a model.
struct ModelDescription: Encodable {
  /// A file and its size.
  struct File: Encodable {
    let name: String
    let bytes: Int
  }

  /// A checkpoint of the same run, read and verified.
  struct Sibling: Encodable {
    let step: Int
    let isValid: Bool
    /// Nats of the evaluation at this step.
    let metric: Double?
    /// Why it is not valid.
    let problem: String?

    enum CodingKeys: String, CodingKey {
      case step, metric, problem
      case isValid = "valid"
    }
  }

  private let path: String
  private let step: Int?
  private let totalSteps: Int?
  private let epoch: Int?
  private let imagesSeen: Int?
  private let elapsedSeconds: Double?
  private let metric: Double?
  private let bestMetric: Double?
  private let files: [File]
  private let parameters: Int
  private let tensorCount: Int
  private let tensors: [TensorSummary]?
  private let checkpoints: [Sibling]?

  enum CodingKeys: String, CodingKey {
    case path, step, epoch, metric, files, parameters, tensors, checkpoints
    case totalSteps = "total_steps"
    case imagesSeen = "images_seen"
    case elapsedSeconds = "elapsed_seconds"
    case bestMetric = "best_metric"
    case tensorCount = "tensor_count"
  }

  /// Describes `opened`, found at `path`, with the tensors of `weights`, if given.
  ///
  /// - Throws: when the run's folder cannot be read.
  init(_ opened: OpenedModel, of path: String, weights: SafetensorsFile?) throws {
    let state = opened.state
    self.path = opened.path
    step = state?.step
    epoch = state?.epoch
    imagesSeen = state?.imagesSeen
    elapsedSeconds = state?.elapsedSeconds
    metric = state?.metric
    bestMetric = state?.bestMetric
    let configuration = try opened.configuration.map { try RunConfiguration(yaml: $0, path: opened.path) }
    totalSteps = configuration.flatMap { $0.training.steps > 0 ? $0.training.steps : nil }
    files = try Self.files(at: opened.path)
    parameters = opened.parameters.tensors.values.reduce(0) { $0 + $1.shape.reduce(1, *) }
    tensorCount = opened.parameters.tensors.count
    tensors = weights.map { file in
      file.tensors.sorted { $0.key < $1.key }.map { TensorSummary(name: $0.key, $0.value) }
    }
    let store = CheckpointStore(runFolder: path)
    checkpoints =
      FileManager.default.fileExists(atPath: store.folder)
      ? try store.list().map { Self.sibling($0, of: store) } : nil
  }

  private static func files(at path: String) throws -> [File] {
    var isFolder: ObjCBool = false
    let isInFolder = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
    let names =
      isInFolder
      ? try FileManager.default.contentsOfDirectory(atPath: path).sorted() : [(path as NSString).lastPathComponent]
    return try names.map { name in
      let attributes = try FileManager.default.attributesOfItem(atPath: isInFolder ? "\(path)/\(name)" : path)
      return File(name: name, bytes: (attributes[.size] as? Int) ?? 0)
    }
  }

  private static func sibling(_ step: Int, of store: CheckpointStore) -> Sibling {
    do throws(CheckpointError) {
      let checkpoint = try store.load(step: step)
      return Sibling(step: step, isValid: true, metric: checkpoint.contents.state.metric, problem: nil)
    } catch {
      return Sibling(step: step, isValid: false, metric: nil, problem: "\(error)")
    }
  }

  // MARK: Text

  /// For people.
  var text: String {
    var rows: [[String]] = []
    if let step { rows.append(["step", totalSteps.map { "\(step) of \($0)" } ?? "\(step)"]) }
    if let epoch { rows.append(["epoch", "\(epoch)"]) }
    if let imagesSeen { rows.append(["images seen", "\(imagesSeen)"]) }
    if let elapsedSeconds { rows.append(["trained for", Quantity.seconds(elapsedSeconds)]) }
    if step != nil {
      rows.append(["evaluation", metric.map { Self.nats($0) + " at this step" } ?? "none at this step"])
    }
    if let bestMetric { rows.append(["best so far", Self.nats(bestMetric)]) }
    rows.append(["parameters", "\(parameters) in \(Quantity.count(tensorCount, "tensor"))"])
    rows.append(["files", files.map { "\($0.name) \(Quantity.bytes($0.bytes))" }.joined(separator: ", ")])
    var parts = [path + "\n" + TextTable.text(rows.map { ["  " + $0[0], $0[1]] })]
    if let checkpoints { parts.append("checkpoints of the run\n" + table(of: checkpoints)) }
    if let tensors { parts.append(TensorSummary.table(of: tensors)) }
    return parts.joined(separator: "\n\n")
  }

  private func table(of checkpoints: [Sibling]) -> String {
    // The best of those that are still there and valid, as `--checkpoint best` chooses.
    let best = checkpoints.filter { $0.metric != nil }.min { ($0.metric ?? 0, $0.step) < ($1.metric ?? 0, $1.step) }
    return TextTable.text(
      checkpoints.map { sibling in
        let marks = sibling.step == best?.step ? " (best)" : ""
        return [
          "  step \(sibling.step)", sibling.isValid ? "valid" : "unusable",
          sibling.problem ?? sibling.metric.map { Self.nats($0) + marks } ?? "not evaluated",
        ]
      })
  }

  private static func nats(_ value: Double) -> String { "\(TrainingProgress.number(value, 2)) nats" }
}
