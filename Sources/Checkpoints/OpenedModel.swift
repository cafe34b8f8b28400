import Foundation

/// Parameters to evaluate or sample with, and where they came from.
public struct OpenedModel: Sendable {
  /// Which checkpoint of a run is opened.
  public enum Choice: String, Sendable, CaseIterable {
    /// The newest that is valid.
    case newest
    /// The one with the lowest metric.
    case best
  }

  /// The file or the checkpoint's folder that was opened.
  public let path: String
  /// The parameters under the reference's names.
  public let parameters: SafetensorsFile
  /// The moving average of the parameters, if the checkpoint has one.
  public let ema: SafetensorsFile?
  /// The state of the run; nil for a plain file.
  public let state: CheckpointState?
  /// Checkpoints of the run that were passed over, for the log.
  public let skipped: [SkippedCheckpoint]

  /// The configuration saved with the parameters, as YAML; nil for a file that was not written by this program.
  public var configuration: String? { state?.configuration ?? parameters.metadata["configuration"] }

  /// Opens the parameters at `path`: a run folder (its checkpoint by `choice`), a checkpoint's folder or a plain
  /// safetensors file.
  ///
  /// - Throws: when there is nothing at `path`, it is none of these, or it is damaged; for a run, only if no valid
  ///   checkpoint is left.
  public static func open(path: String, choice: Choice = .newest) throws(CheckpointError) -> OpenedModel {
    guard DurableFile.isFolder(path) else {
      do throws(SafetensorsError) {
        let file = try SafetensorsFile(contentsOf: path)
        return OpenedModel(path: path, parameters: file, ema: nil, state: nil, skipped: [])
      } catch { throw .unusableFile(error) }
    }
    let store = CheckpointStore(runFolder: path)
    guard DurableFile.isFolder(store.folder) else {
      return OpenedModel(try Checkpoint(contentsOf: store.runFolder, includingOptimizer: false), skipped: [])
    }
    let selection =
      switch choice {
      case .newest: try store.latestValid(includingOptimizer: false)
      case .best: try store.best(includingOptimizer: false)
      }
    guard let checkpoint = selection.checkpoint else {
      let reasons = selection.skipped.map { "\($0.reason)" }
      let none = choice == .best ? "none in \(store.folder) was evaluated" : "\(store.folder) is empty"
      throw .noCheckpoint(path: path, reason: reasons.isEmpty ? none : reasons.joined(separator: "; "))
    }
    return OpenedModel(checkpoint, skipped: selection.skipped)
  }

  private init(
    path: String, parameters: SafetensorsFile, ema: SafetensorsFile?, state: CheckpointState?,
    skipped: [SkippedCheckpoint]
  ) {
    self.path = path
    self.parameters = parameters
    self.ema = ema
    self.state = state
    self.skipped = skipped
  }

  private init(_ checkpoint: Checkpoint, skipped: [SkippedCheckpoint]) {
    self.init(
      path: checkpoint.path, parameters: checkpoint.contents.parameters, ema: checkpoint.contents.ema,
      state: checkpoint.contents.state, skipped: skipped)
  }
}
