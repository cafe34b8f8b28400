import Foundation

/// The checkpoints of a run, for reading; a run that is being trained may be read at any time.
public struct CheckpointStore: Sendable {
  /// The run's folder.
  public let runFolder: String

  /// The folder of the checkpoints.
  public var folder: String { runFolder + "/checkpoints" }

  /// The checkpoints of the run in `runFolder`, which need not exist yet.
  public init(runFolder: String) {
    var path = runFolder
    while path.count > 1 && path.hasSuffix("/") { path.removeLast() }
    self.runFolder = path
  }

  /// The folder of the checkpoint of `step`.
  public func path(step: Int) -> String { folder + "/" + CheckpointName(step: step).text }

  /// The steps that have a checkpoint, ascending; none of them has been verified.
  ///
  /// - Throws: when the folder cannot be read.
  public func list() throws(CheckpointError) -> [Int] {
    try names().filter { DurableFile.exists(path(step: $0.step) + "/" + CheckpointRecord.fileName) }.map(\.step)
  }

  /// The verified checkpoint of `step`.
  ///
  /// - Throws: when there is none, or it is damaged or of a newer format.
  public func load(step: Int, includingOptimizer: Bool = true) throws(CheckpointError) -> Checkpoint {
    try Checkpoint(contentsOf: path(step: step), includingOptimizer: includingOptimizer)
  }

  /// The newest checkpoint, of no later step than `step`, that is as it was written. Damaged ones are passed over and
  /// returned with their reasons.
  ///
  /// - Throws: when the folder cannot be read, or a checkpoint is of a newer format: going on from an older one would
  ///   throw away what the newer program has done.
  public func latestValid(
    notAfter step: Int = .max, includingOptimizer: Bool = true
  ) throws(CheckpointError) -> CheckpointSelection {
    try firstValid(
      of: try names().filter { $0.step <= step }.reversed(), includingOptimizer: includingOptimizer)
  }

  /// The valid checkpoint with the lowest metric at its own step, the earliest of equals; none if none was evaluated.
  ///
  /// - Throws: when the folder cannot be read, or a checkpoint is of a newer format.
  public func best(includingOptimizer: Bool = true) throws(CheckpointError) -> CheckpointSelection {
    var skipped: [SkippedCheckpoint] = []
    var evaluated: [(metric: Double, name: CheckpointName)] = []
    for name in try names() {
      do throws(CheckpointError) {
        let record = try CheckpointRecord(contentsOf: path(step: name.step))
        if let metric = record.state.metric { evaluated.append((metric, name)) }
      } catch {
        skipped.append(try Self.skipped(path(step: name.step), error))
      }
    }
    evaluated.sort { ($0.metric, $0.name) < ($1.metric, $1.name) }
    let selection = try firstValid(of: evaluated.map(\.name), includingOptimizer: includingOptimizer)
    return CheckpointSelection(checkpoint: selection.checkpoint, skipped: skipped + selection.skipped)
  }

  /// The names of all folders that are called as checkpoints are, ascending.
  func names() throws(CheckpointError) -> [CheckpointName] {
    do throws(FileFailure) {
      return try DurableFile.names(in: folder).compactMap(CheckpointName.init(folderName:)).sorted()
    } catch {
      if error.code == ENOENT { return [] }
      throw .inaccessible(error)
    }
  }

  private func firstValid(
    of names: [CheckpointName], includingOptimizer: Bool
  ) throws(CheckpointError) -> CheckpointSelection {
    var skipped: [SkippedCheckpoint] = []
    for name in names {
      do throws(CheckpointError) {
        let checkpoint = try load(step: name.step, includingOptimizer: includingOptimizer)
        return CheckpointSelection(checkpoint: checkpoint, skipped: skipped)
      } catch {
        skipped.append(try Self.skipped(path(step: name.step), error))
      }
    }
    return CheckpointSelection(checkpoint: nil, skipped: skipped)
  }

  private static func skipped(_ path: String, _ reason: CheckpointError) throws(CheckpointError) -> SkippedCheckpoint {
    if case .newerFormat = reason { throw reason }
    return SkippedCheckpoint(path: path, reason: reason)
  }
}

/// A checkpoint that was chosen, and what was passed over on the way to it.
public struct CheckpointSelection: Sendable {
  /// The checkpoint; nil if no valid one is left, or there never was one.
  public let checkpoint: Checkpoint?
  /// What was passed over, for the log.
  public let skipped: [SkippedCheckpoint]
}

/// A checkpoint that cannot be used.
public struct SkippedCheckpoint: Sendable, Equatable, CustomStringConvertible {
  /// Its folder.
  public let path: String
  /// Why it cannot be used.
  public let reason: CheckpointError

  /// A line for the log.
  public var description: String { "passed over: \(reason)" }
}
