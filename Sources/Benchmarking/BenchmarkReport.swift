import Model

/// Everything that one run of the benchmark measured.
public struct BenchmarkReport: Codable, Sendable {
  /// Several measurements of the same thing.
  public struct Repetitions: Codable, Sendable {
    /// Seconds of each, in the order in which they were made.
    public let seconds: [Double]
    /// The one with the median time.
    public let median: NetworkMeasurement

    /// What was measured; at least one.
    public init(_ measurements: [NetworkMeasurement]) {
      precondition(!measurements.isEmpty, "BenchmarkReport: nothing was measured")
      seconds = measurements.map(\.seconds)
      median = measurements.sorted { $0.seconds < $1.seconds }[measurements.count / 2]
    }
  }

  /// Parameters of the network.
  public let parameters: Int
  /// The generation order.
  public let order: BenchmarkOrder
  /// Ranks, and threads of each.
  public let ranks: Int
  /// Threads of each rank.
  public let threads: Int
  /// Images of a microbatch.
  public let batch: Int
  /// What `cblas_sgemm` reaches on all threads of all ranks together, in GFLOP/s.
  public let matrixProductPeak: Double
  /// Training steps.
  public let training: Repetitions
  /// Forward passes.
  public let forward: Repetitions

  enum CodingKeys: String, CodingKey {
    case parameters, order, ranks, threads, batch, training, forward
    case matrixProductPeak = "gemm_gflops"
  }

  /// A report.
  public init(
    parameters: Int, order: BenchmarkOrder, ranks: Int, threads: Int, batch: Int, matrixProductPeak: Double,
    training: Repetitions, forward: Repetitions
  ) {
    self.parameters = parameters
    self.order = order
    self.ranks = ranks
    self.threads = threads
    self.batch = batch
    self.matrixProductPeak = matrixProductPeak
    self.training = training
    self.forward = forward
  }
}
