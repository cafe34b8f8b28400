/// All that a run needs to go on, apart from its tensors. Randomness is keyed, so there is no generator to save.
public struct CheckpointState: Codable, Equatable, Sendable {
  /// The format that this program writes, and the newest that it reads.
  public static let currentFormatVersion = 1

  /// Version of the checkpoint's format.
  public private(set) var formatVersion = Self.currentFormatVersion
  /// Optimizer updates done.
  public var step: Int
  /// The epoch of the next image, from 0.
  public var epoch: Int
  /// The seed that all randomness of the run is derived from.
  public var seed: UInt64
  /// The whole resolved configuration, as YAML.
  public var configuration: String
  /// Identifies the training data, so that a run does not go on with others.
  public var datasetHash: String
  /// What evaluating at this very step gave, lower is better; nil where there was no evaluation. Decides which
  /// checkpoint is the best.
  public var metric: Double?
  /// The lowest metric of the run so far; nil before the first evaluation.
  public var bestMetric: Double?
  /// Training images seen, counting each epoch anew.
  public var imagesSeen: Int
  /// Time spent training, in seconds, over all resumptions.
  public var elapsedSeconds: Double
  /// Further counters that training needs, by name.
  public var counters: [String: Int]
  /// Size and checksum of each file of the training data, by name; nil in checkpoints of programs that did not say.
  public var dataFiles: [String: String]?

  /// The state after `step` updates, in the current format.
  public init(
    step: Int, epoch: Int = 0, seed: UInt64, configuration: String, datasetHash: String, metric: Double? = nil,
    bestMetric: Double? = nil, imagesSeen: Int = 0, elapsedSeconds: Double = 0, counters: [String: Int] = [:],
    dataFiles: [String: String]? = nil
  ) {
    self.step = step
    self.epoch = epoch
    self.seed = seed
    self.configuration = configuration
    self.datasetHash = datasetHash
    self.metric = metric
    self.bestMetric = bestMetric
    self.imagesSeen = imagesSeen
    self.elapsedSeconds = elapsedSeconds
    self.counters = counters
    self.dataFiles = dataFiles
  }
}
