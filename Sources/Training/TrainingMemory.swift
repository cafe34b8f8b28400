import Collectives
import Model

/// Memory that a rank allocates to train, in bytes, by what it is for. The images and what the network sends and receives
/// are small beside it.
public struct TrainingMemory: Codable, Sendable, Equatable {
  /// The parameters.
  public let parameters: Int
  /// Gradients of the current microbatch and of unfinished sums.
  public let gradients: Int
  /// Adam's moments of the rank's share of the parameters.
  public let optimizer: Int
  /// The moving average of the rank's share of the parameters.
  public let average: Int
  /// Activations of a microbatch of the largest size, and their gradients.
  public let activations: Int
  /// Plans of the generation orders, of each size.
  public let orders: Int
  /// Activations, and averaged parameters, of an evaluation.
  public let evaluation: Int
  /// What is drawn of the model after an evaluation: the samples' activations, then, on rank 0, the gradient.
  public let pictures: Int
  /// Reading a checkpoint; on rank 0 also the copy that is written while training goes on.
  public let checkpoint: Int

  /// All of it.
  public var total: Int {
    parameters + gradients + optimizer + average + activations + orders + evaluation + pictures + checkpoint
  }

  /// What rank `rank` of `ranks` needs for `experiment`.
  ///
  /// - Throws: when its images cannot have the sizes that it trains on.
  public init(_ experiment: Experiment, rank: Int, ranks: Int) throws {
    let sizes = try experiment.trainingSizes()
    let network = experiment.network
    let configuration = experiment.configuration
    let count = network.layout.count
    let float = MemoryLayout<Float>.stride
    let hasAverage = configuration.training.emaDecay > 0
    let owned = ParameterShards(count: count, ranks: ranks).owned(by: rank).reduce(0) { $0 + $1.count }
    parameters = float * count
    gradients = GradientReduction.bytes(
      count: count, slots: configuration.training.microbatches, rank: rank, ranks: ranks)
    optimizer = 2 * float * owned
    average = hasAverage ? float * owned : 0
    activations = NetworkWorkspace.bytes(
      network: network, size: sizes.largest, images: configuration.training.microbatchSize,
      retaining: configuration.model.retention)
    orders = MicrobatchSource.planBytes(sizes, windows: network.windows)
    evaluation =
      NetworkWorkspace.bytes(
        network: network, size: experiment.test.size, images: configuration.evaluation.batchSize, retaining: .nothing)
      + (hasAverage && configuration.evaluation.useEMA ? float * count : 0)
    let monitoring = configuration.monitoring
    let drawn = (max(monitoring.samples, monitoring.completions) + ranks - 1) / ranks
    let sampling =
      min(drawn, configuration.training.microbatchSize)
      * LocationCache.floatsPerImage(network: network, size: experiment.test.size)
    let gradient = monitoring.tensorboard && monitoring.histograms ? owned + (rank == 0 ? count : 0) : 0
    pictures = float * max(sampling, gradient)
    // Moments, and perhaps the average, of the whole vector; rank 0 also copies them and the parameters for the writer.
    // What the other ranks send before their turn has come is kept by MPI meanwhile.
    let gathered = hasAverage ? 3 : 2
    checkpoint =
      rank == 0
      ? float * (gathered * (count + count - owned) + (gathered + 1) * network.layout.parameterCount)
      : 2 * float * count
  }

  enum CodingKeys: String, CodingKey {
    case parameters, gradients, optimizer, average, activations, orders, evaluation, pictures, checkpoint
  }
}

/// Size of a checkpoint on disk, in bytes.
public enum CheckpointSize {
  /// Of a run of `experiment`; headers and checksums are small beside it.
  public static func bytes(_ experiment: Experiment) -> Int {
    let vectors = experiment.configuration.training.emaDecay > 0 ? 4 : 3
    return vectors * MemoryLayout<Float>.stride * experiment.network.layout.parameterCount
  }
}
