import Checkpoints
import Configuration
import Datasets
import Foundation
import Logging

/// Finds the checkpoint that a run goes on from and refuses one of another run. Reads only, so that it also tells what a
/// run would do.
public struct Resumption {
  private let configuration: RunConfiguration
  private let folder: RunFolder
  private let datasetHash: String
  private let dataFiles: [String: String]
  private let log: Logger

  /// Looks for checkpoints of the run in `folder`, which is to be trained with `configuration` on `dataset`.
  public init(_ configuration: RunConfiguration, folder: RunFolder, dataset: ImageDataset, log: Logger) {
    self.configuration = configuration
    self.folder = folder
    datasetHash = "\(dataset.contentHash)"
    dataFiles = Self.descriptions(of: dataset.files)
    self.log = log
  }

  /// Size and checksum of each of `files`, by its name without folders: the folder may be another after a move.
  static func descriptions(of files: [DataFile]) -> [String: String] {
    var descriptions: [String: String] = [:]
    for file in files { descriptions[file.name] = file.description }
    return descriptions
  }

  /// The checkpoint to go on from, verified; nil for a new run. Damaged ones that are passed over are logged, and so are
  /// changes that `allowsChanges` lets through.
  ///
  /// - Throws: when a new run would take the place of another, when there is nothing at the path that `resume` names, or
  ///   when the checkpoint was trained with another configuration or on other images.
  public func checkpoint(
    _ resume: TrainingRun.Resume, notAfter step: Int = .max, allowsChanges: Bool
  ) throws -> Checkpoint? {
    guard let checkpoint = try candidate(resume, notAfter: step) else { return nil }
    let state = checkpoint.contents.state
    let old = try RunConfiguration(yaml: state.configuration, path: checkpoint.path)
    let differences = configuration.differences(from: old).filter(\.key.isDefining)
    if allowsChanges {
      for difference in differences { log.warning("changed since the checkpoint: \(difference)") }
      if state.datasetHash != datasetHash { log.warning("the training images are not those of the checkpoint") }
    } else {
      guard differences.isEmpty else {
        throw TrainingError.configurationChanged(checkpoint: checkpoint.path, differences: differences)
      }
      guard state.datasetHash == datasetHash else {
        throw TrainingError.dataChanged(
          checkpoint: checkpoint.path, expected: state.datasetHash, found: datasetHash,
          files: state.dataFiles.map(changedFiles(since:)) ?? [])
      }
    }
    return checkpoint
  }

  private func candidate(_ resume: TrainingRun.Resume, notAfter step: Int) throws -> Checkpoint? {
    let store = CheckpointStore(runFolder: folder.path)
    switch resume {
    case .never:
      if let last = try store.list().last { throw TrainingError.wouldOverwrite(runFolder: folder.path, steps: last) }
      return nil
    case .automatic:
      return try newest(of: store, notAfter: step)
    case .from(let path):
      let other = CheckpointStore(runFolder: path)
      guard FileManager.default.fileExists(atPath: other.folder) else {
        guard FileManager.default.fileExists(atPath: path) else {
          throw TrainingError.nothingToResume(path: path, exists: false)
        }
        return try Checkpoint(contentsOf: other.runFolder)
      }
      guard let checkpoint = try newest(of: other, notAfter: step) else {
        throw TrainingError.nothingToResume(path: path, exists: true)
      }
      return checkpoint
    }
  }

  /// What differs between the files that `old` describes and those now given.
  private func changedFiles(since old: [String: String]) -> [String] {
    Set(old.keys).union(dataFiles.keys).sorted().compactMap { name in
      let (before, now) = (old[name], dataFiles[name])
      guard before != now else { return nil }
      return "\(name) was \(before ?? "absent"), now it is \(now ?? "absent")"
    }
  }

  private func newest(of store: CheckpointStore, notAfter step: Int) throws -> Checkpoint? {
    let selection = try store.latestValid(notAfter: step)
    for skipped in selection.skipped { log.warning("\(skipped)") }
    return selection.checkpoint
  }
}
