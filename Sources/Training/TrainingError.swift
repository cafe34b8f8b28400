import Configuration

/// What stops a training run, apart from the errors of the modules it drives.
public enum TrainingError: Error, CustomStringConvertible {
  /// The ranks were not started with the same data or configuration.
  case ranksDiffer(what: String, rank: Int, host: String, expected: String, found: String)
  /// The checkpoint is of another run.
  case configurationChanged(checkpoint: String, differences: [ConfigurationDifference])
  /// The checkpoint was trained on other images.
  ///
  /// `files` are those that changed, with what they were; none where the checkpoint does not say.
  case dataChanged(checkpoint: String, expected: String, found: String, files: [String])
  /// `--resume` names nothing that exists, or a run without a valid checkpoint.
  case nothingToResume(path: String, exists: Bool)
  /// A step was asked for that the run does not have.
  case noSuchStep(Int, last: Int)
  /// There are checkpoints, but a new run was asked for.
  case wouldOverwrite(runFolder: String, steps: Int)
  /// A step's loss or gradient was not fit for an update, and the run is to stop then, or did not recover.
  case unfitStep(StepFault)
  /// Ranks hold other parameters than the others.
  case parametersDiffer(step: Int, ParameterDisagreement)
  /// A checkpoint is not on the disk after the time allowed.
  case storageTooSlow(path: String, seconds: Double)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .ranksDiffer(let what, let rank, let host, let expected, let found):
      return "rank \(rank) on \(host) has another \(what) than rank 0: \(found), expected \(expected); start all ranks "
        + "with the same program, configuration and data"
    case .configurationChanged(let checkpoint, let differences):
      let list = differences.map { "\n  \($0)" }.joined()
      return "\(checkpoint) was trained with another configuration:\(list)\n"
        + "restore these keys, train in another folder, or pass --allow-changes to go on with the new values"
    case .dataChanged(let checkpoint, let expected, let found, let files):
      return "\(checkpoint) was trained on images with checksum \(expected), those now given have \(found); "
        + (files.isEmpty ? "" : files.joined(separator: "; ") + "; ")
        + "give the same data, train in another folder, or pass --allow-changes"
    case .noSuchStep(let step, let last):
      return "there is no step \(step): this run has steps 1 to \(last), as in its metrics.jsonl"
    case .nothingToResume(let path, let exists):
      return (exists ? "\(path) holds no valid checkpoint to resume from" : "\(path): no such file or folder")
        + "; give the folder of a checkpoint or of a run, or pass --resume auto"
    case .wouldOverwrite(let runFolder, let steps):
      return "\(runFolder) already holds a run of \(steps) steps; pass --resume auto to go on with it, or give another "
        + "--run-dir"
    case .unfitStep(let fault):
      let inARow = fault.skippedInARow > 0 ? "\nthe \(fault.skippedInARow) steps before were passed over already" : ""
      return fault.described + inARow
        + "\nlmconv train --replay \(fault.step) repeats it; lower training.learning_rate or training.clip_norm, set "
        + "guard.policy to skip or rollback, or take the images out, and go on from the last checkpoint"
    case .parametersDiffer(let step, let disagreement):
      return
        "step \(step): \(disagreement); memory, processor or network of a host corrupts data: test them, and go on "
        + "from the last checkpoint without that host"
    case .storageTooSlow(let path, let seconds):
      return "checkpoint \(path): not written after \(Int(seconds)) s; the file system is too slow or does not answer: "
        + "repair it, or raise checkpoint.timeout_seconds"
    }
  }
}
