/// A step that was repeated on one process, to look into it.
public struct StepReplay: Encodable, Sendable {
  /// The step's number, as in `metrics.jsonl`: the first is 1.
  public let step: Int
  /// Updates done in the checkpoint that the repetition began from; 0 is the start of the run.
  public let firstStep: Int
  /// The epoch the step's images belong to.
  public let epoch: Int
  /// Mean negative log likelihood of the step's images, in nats.
  public let nats: Double
  /// The same in bits per dimension.
  public let bitsPerDimension: Double
  /// Norm of the gradient before clipping.
  public let gradientNorm: Double
  /// The rate of the step's update.
  public let learningRate: Double
  /// What is wrong with the step; nil if it is fit for an update.
  public let fault: String?
  /// All microbatches, by slot.
  public let microbatches: [MicrobatchReport]

  enum CodingKeys: String, CodingKey {
    case step, epoch, nats, fault, microbatches
    case firstStep = "first_step"
    case bitsPerDimension = "bits_per_dimension"
    case gradientNorm = "gradient_norm"
    case learningRate = "learning_rate"
  }
}
