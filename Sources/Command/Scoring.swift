import Collectives
import Configuration
import Datasets
import Evaluation
import Foundation
import Imaging
import Kernels
import Orders
import Tensors
import Training

/// Anomaly scores of images by all ranks, each its share; the same bits on every rank, for any number of ranks and
/// threads.
struct Scoring {
  private let model: ModelOptions.Opened
  private let background: ModelOptions.Background?
  private let orders: [NamedOrder]
  private let backgroundOrders: [NamedOrder]
  private let seed: UInt64
  private let communicator: any Communicator
  private let stopSignal: StopSignal
  private let evaluation: LikelihoodEvaluation
  private let backgroundEvaluation: LikelihoodEvaluation?

  /// Scores by `model` and, for likelihood ratios, `background`, under the ensemble of `orders`, or if there are none,
  /// of those that each model is tested with.
  init(
    model: ModelOptions.Opened, background: ModelOptions.Background?, orders: [OrderChoice], seed: UInt64,
    batchSize: Int,
    threads: Int, communicator: any Communicator, stopSignal: StopSignal
  ) throws {
    self.model = model
    self.background = background
    self.seed = seed
    self.communicator = communicator
    self.stopSignal = stopSignal
    let size = model.experiment.test.size
    func named(_ configuration: RunConfiguration) throws -> [NamedOrder] {
      try OrderSelection.orders(
        orders.isEmpty ? configuration.orders.test : orders, configuration.orders, size: size)
    }
    self.orders = try named(model.experiment.configuration)
    backgroundOrders = try background.map { try named($0.configuration) } ?? []
    let pool = ThreadPool(threads: threads)
    evaluation = LikelihoodEvaluation(
      network: model.experiment.network, size: size, batchSize: batchSize, communicator: communicator, pool: pool)
    backgroundEvaluation = background.map {
      LikelihoodEvaluation(
        network: $0.network, size: size, batchSize: batchSize, communicator: communicator, pool: pool)
    }
  }

  /// The mean bits per dimension of the first `images` training images, or of all if it is 0.
  ///
  /// - Throws: when they cannot be read, asked to stop, or a rank is silent.
  func typical(_ images: Int) throws -> ScoreResult.Typical {
    let train = try model.experiment.loadTrainingImages()
    let count = images == 0 ? train.count : min(images, train.count)
    let estimate = try likelihood(of: train, 0..<count).ensembleEstimate
    return ScoreResult.Typical(
      bitsPerDimension: estimate.bitsPerDimension, standardError: estimate.bitsPerDimensionError, images: count)
  }

  /// The scores of the images of `source`.
  ///
  /// - Throws: when asked to stop, when a likelihood is not finite, or when a rank is silent.
  func score(_ source: ScoreSource, typical: Double) throws -> AnomalyScores {
    let logLikelihoods = try likelihood(of: source.dataset, source.range).ensemble
    var ratios: [Double]?
    if let background, let backgroundEvaluation {
      ratios = try backgroundEvaluation.evaluate(
        parameters: background.parameters, dataset: source.dataset, images: source.range, orders: backgroundOrders,
        seed: seed, shouldStop: { stopSignal.isReceived }
      ).ensemble
    }
    return AnomalyScores(
      logLikelihoods: logLikelihoods, dimensions: source.dataset.valuesPerImage, typical: typical,
      codecBits: try codecBits(of: source), background: ratios)
  }

  private func likelihood(of dataset: ImageDataset, _ images: Range<Int>) throws -> LikelihoodReport {
    try evaluation.evaluate(
      parameters: model.parameters, dataset: dataset, images: images, orders: orders, seed: seed,
      shouldStop: { stopSignal.isReceived })
  }

  /// Bits of PNG's compressed rows of each image, without what is the same for all.
  ///
  /// - Throws: when asked to stop, or when a rank is silent.
  private func codecBits(of source: ScoreSource) throws -> [Int] {
    let images = source.range
    let bounds = (0...communicator.size).map { images.count * $0 / communicator.size }
    // Negative where it is not done.
    var bits = [Double](repeating: -1, count: images.count)
    for offset in bounds[communicator.rank]..<bounds[communicator.rank + 1] {
      if stopSignal.isReceived { break }
      let levels = try source.dataset.levels(first: images.lowerBound + offset, count: 1, seed: seed)
      let stream = try PNGStream.smallest(
        levels: levels, size: source.dataset.size, channels: source.dataset.channels, bits: source.dataset.bits)
      bits[offset] = Double(8 * (stream.count - PNGStream.containerBytes))
    }
    try communicator.allGather(&bits, counts: zip(bounds.dropFirst(), bounds).map { $0 - $1 })
    let done = bits.count { $0 >= 0 }
    if done < bits.count { throw EvaluationError.interrupted(done: done, of: bits.count) }
    return bits.map { Int($0) }
  }
}
