import Datasets

extension ImageSet {
  /// Channels of its images; nil where the files decide.
  public var channels: Int? {
    switch self {
    case .digits, .mnist: return 1
    case .cifar10: return 3
    case .folder, .tfrecords, .packed: return nil
    }
  }
}

extension RunConfiguration {
  /// The family of distributions the network's outputs parametrize.
  public enum Distribution: String, Sendable, CaseIterable {
    /// Two classes.
    case binary
    /// Discretized mixture of logistics over 2^bits levels.
    case logisticMixture = "logistic_mixture"
  }

  /// What one draw of a generation order is for.
  public enum OrderInterval: String, Sendable, CaseIterable {
    /// Each microbatch draws its own.
    case microbatch
    /// All microbatches of a step share one.
    case step
  }

  /// How the learning rate changes over the run.
  public enum Schedule: String, Sendable, CaseIterable {
    /// It does not.
    case constant
    /// Multiplied by `training.decay` after each epoch.
    case decay
    /// Half a cosine from the start to the last step.
    case cosine
  }

  /// Unit of the loss whose gradient is taken.
  public enum LossUnit: String, Sendable, CaseIterable {
    /// Natural logarithm, summed over an image.
    case nats
    /// Bits per dimension: nats / (pixels * channels * ln 2).
    case bpd
  }

  /// How the losses of a step's images become one number.
  public enum LossReduction: String, Sendable, CaseIterable {
    /// Their sum.
    case sum
    /// Their mean over all images of the step.
    case mean
  }

  /// What happens when a step's loss or gradient is not fit for an update.
  public enum GuardPolicy: String, Sendable, CaseIterable {
    /// The run ends with an error.
    case stop
    /// The step is passed over: parameters and optimizer stay as they were.
    case skip
    /// The run goes back to its last checkpoint; if the step is no better then, it is passed over.
    case rollback
  }

  /// The least severe messages that the log shows.
  public enum LogLevel: String, Sendable, CaseIterable {
    /// Everything.
    case trace
    /// What helps to find a fault.
    case debug
    /// What a run does.
    case info
    /// What may need attention.
    case notice
    /// What is wrong but does not stop the run.
    case warning
    /// What stops a part of the run.
    case error
    /// What stops the run.
    case critical
  }

  /// How progress is shown.
  public enum ProgressDisplay: String, Sendable, CaseIterable {
    /// One line that is rewritten on a terminal, plain lines elsewhere.
    case auto
    /// A live view of several lines on a terminal, plain lines elsewhere.
    case rich
    /// One line at a time, never rewritten.
    case plain
    /// Not at all.
    case off
  }
}
