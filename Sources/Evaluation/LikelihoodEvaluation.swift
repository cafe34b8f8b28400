import Collectives
import Datasets
import Kernels
import Model
import Orders
import Tensors

/// An order with the name that reports call it by.
public struct NamedOrder: Sendable {
  /// Such as `s_curve/3`.
  public let name: String
  /// The order.
  public let order: GenerationOrder

  /// `order`, called `name`.
  public init(name: String, order: GenerationOrder) {
    self.name = name
    self.order = order
  }
}

/// What stops an evaluation.
public enum EvaluationError: Error, Equatable, CustomStringConvertible {
  /// Some rank was asked to stop.
  case interrupted(done: Int, of: Int)
  /// A likelihood is not a number.
  case notFinite(image: Int, order: String)

  /// What happened.
  public var description: String {
    switch self {
    case .interrupted(let done, let total): return "evaluation stopped after \(done) of \(total) images"
    case .notFinite(let image, let order):
      return "the likelihood of image \(image) under order \(order) is not finite; the parameters are damaged or the "
        + "training diverged"
    }
  }
}

/// The likelihood of images by all ranks: each image is counted once, and the result has the same bits for any number of
/// ranks, threads and images in a batch, because an image's activations do not depend on what is computed beside it.
public struct LikelihoodEvaluation {
  private let network: AutoregressiveNetwork
  private let communicator: any Communicator
  private let pool: ThreadPool
  private let loss: PixelLoss
  private let workspace: NetworkWorkspace

  /// An evaluation of images of `size`, `batchSize` at a time on each rank.
  public init(
    network: AutoregressiveNetwork, size: ImageSize, batchSize: Int, communicator: any Communicator, pool: ThreadPool
  ) {
    self.network = network
    self.communicator = communicator
    self.pool = pool
    loss = PixelLoss(distribution: network.configuration.distribution, channels: network.configuration.channels)
    workspace = NetworkWorkspace(network: network, size: size, images: batchSize, retaining: .nothing)
  }

  /// Evaluates `images` of `dataset` under each of `orders`; the same report on every rank.
  ///
  /// With `region`, only its pixels count: log p(region | rest). Each order then generates the rest first, so that the
  /// region's pixels condition on all of it. `shouldStop` is asked before each pass of a batch under an order; if it says
  /// yes on any rank, all stop after the batch.
  ///
  /// - Throws: when the network cannot generate in one of the orders, when asked to stop, when images cannot be read, when
  ///   a likelihood is not finite, or when a rank is silent.
  public func evaluate(
    parameters: FloatBuffer, dataset: ImageDataset, images: Range<Int>, orders: [NamedOrder], region: Set<Int>? = nil,
    seed: UInt64, shouldStop: () -> Bool = { false }, progress: (_ done: Int) -> Void = { _ in }
  ) throws -> LikelihoodReport {
    precondition(!orders.isEmpty && !images.isEmpty, "LikelihoodEvaluation: nothing to evaluate")
    communicator.phase = .evaluation
    let size = dataset.size
    let counted = (region ?? Set(0..<size.pixels)).sorted()
    let rest = Set(0..<size.pixels).subtracting(counted)
    for named in orders { try network.require(order: named.order, named: named.name, observed: rest) }
    let plans = orders.map { named in
      OrderPlan(order: region == nil ? named.order : named.order.observedFirst(rest), windows: network.windows)
    }
    let shares = (0..<communicator.size).map { rank in
      (images.lowerBound + images.count * rank / communicator.size)..<(images.lowerBound
        + images.count * (rank + 1) / communicator.size)
    }
    let share = shares[communicator.rank]
    let rounds = shares.map { ($0.count + workspace.capacity - 1) / workspace.capacity }.max() ?? 0
    let valuesPerImage = dataset.valuesPerImage
    var values = [Double](repeating: 0, count: images.count * orders.count)
    let nats = DoubleBuffer(count: workspace.capacity * size.pixels)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    var levels = [UInt8](repeating: 0, count: workspace.capacity * valuesPerImage)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)

    for round in 0..<rounds {
      let first = min(share.lowerBound + round * workspace.capacity, share.upperBound)
      var isCutOff = false
      let batch = Array(first..<min(first + workspace.capacity, share.upperBound))
      if !batch.isEmpty {
        if levels.count != batch.count * valuesPerImage {
          levels = [UInt8](repeating: 0, count: batch.count * valuesPerImage)
        }
        try dataset.fill(levels: &levels, images: batch[...], key: .evaluation(seed: seed))
        workspace.prepareInput(levels: levels, images: batch.count)
        for (orderIndex, plan) in plans.enumerated() {
          isCutOff = shouldStop()
          if isCutOff { break }
          network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool)
          loss.evaluate(levels: levels, logits: workspace.logits, nats: nats, scratch: scratch, pool: pool)
          for (offset, image) in batch.enumerated() {
            var sum = 0.0
            for pixel in counted { sum -= nats[offset * size.pixels + pixel] }
            values[(image - images.lowerBound) * orders.count + orderIndex] = sum
          }
        }
      }
      let agreed = try communicator.maximum(isCutOff ? 2 : shouldStop() ? 1 : 0)
      let done = shares.reduce(0) { $0 + min($1.count, (agreed == 2 ? round : round + 1) * workspace.capacity) }
      if agreed > 0 && done < images.count { throw EvaluationError.interrupted(done: done, of: images.count) }
      progress(done)
    }
    try communicator.allGather(&values, counts: shares.map { $0.count * orders.count })
    for (index, value) in values.enumerated() where !value.isFinite {
      throw EvaluationError.notFinite(
        image: images.lowerBound + index / orders.count, order: orders[index % orders.count].name)
    }
    return LikelihoodReport(
      orders: orders.map(\.name), images: Array(images), logLikelihoods: values,
      dimensions: counted.count * dataset.channels)
  }
}
