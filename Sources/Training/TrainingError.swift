import Configuration

/// What stops a training run, apart from the errors of the modules it drives.
public enum TrainingError: Error, CustomStringConvertible {
  /// The ranks were not started with the same data or configuration.
  case ranksDiffer(what: String, rank: Int, host: String, expected: String, found: String)
  /// The checkpoint is of another run.
  case configurationChanged(checkpoint: String, differences: [ConfigurationDifference])
  /// The checkpoint was trained on other images.
  case dataChanged(checkpoint: String, expected: String, found: String)
  /// `--resume` names nothing that exists, or a run without a valid checkpoint.
  case nothingToResume(path: String, exists: Bool)
  /// There are checkpoints, but a new run was asked for.
  case wouldOverwrite(runFolder: String, steps: Int)
  /// The gradient is not a number.
  case diverged(step: Int, norm: Double, slots: [(slot: Int, order: String, nats: Double)])

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
    case .dataChanged(let checkpoint, let expected, let found):
      return
        "\(checkpoint) was trained on images with checksum \(expected), those now given have \(found); give the same "
        + "data, train in another folder, or pass --allow-changes"
    case .nothingToResume(let path, let exists):
      return (exists ? "\(path) holds no valid checkpoint to resume from" : "\(path): no such file or folder")
        + "; give the folder of a checkpoint or of a run, or pass --resume auto"
    case .wouldOverwrite(let runFolder, let steps):
      return "\(runFolder) already holds a run of \(steps) steps; pass --resume auto to go on with it, or give another "
        + "--run-dir"
    case .diverged(let step, let norm, let slots):
      let list = slots.map { "\n  microbatch \($0.slot), order \($0.order): \($0.nats) nats" }.joined()
      return "step \(step): the gradient's norm is \(norm); the parameters were not updated\(list)\n"
        + "lower training.learning_rate or training.clip_norm, and resume from the last checkpoint"
    }
  }
}
