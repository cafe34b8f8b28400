import Kernels
import Tensors
import Tracing

/// How long the parts of a training step take that no other rank has a share in. What `ScalingModel` starts from.
public struct StepParts: Codable, Sendable, Equatable {
  /// Seconds before the first microbatch of a step: weights that are computed from parameters.
  public var preparation: Double
  /// Seconds of one microbatch, from its images to its gradient.
  public var microbatch: Double
  /// Seconds of its backward, which are the last of it.
  public var backward: Double
  /// Seconds of Adam for each float of the parameter vector.
  public var update: Double
  /// Seconds to add one float of a gradient to another.
  public var addition: Double

  /// All of them, in seconds.
  public init(preparation: Double, microbatch: Double, backward: Double, update: Double, addition: Double) {
    self.preparation = preparation
    self.microbatch = microbatch
    self.backward = backward
    self.update = update
    self.addition = addition
  }

  /// The median of each of several measurements.
  public static func median(_ measured: [StepParts]) -> StepParts {
    precondition(!measured.isEmpty, "StepParts.median: nothing was measured")
    func median(_ part: KeyPath<StepParts, Double>) -> Double {
      measured.map { $0[keyPath: part] }.sorted()[measured.count / 2]
    }
    return StepParts(
      preparation: median(\.preparation), microbatch: median(\.microbatch), backward: median(\.backward),
      update: median(\.update), addition: median(\.addition))
  }
}

/// What ranks take to exchange gradients and parameters while nothing else happens.
public struct ExchangeMeasurement: Codable, Sendable {
  /// In all, on the slowest rank.
  public let seconds: Double
  /// Of these, summing up the gradients and their norm, on this rank.
  public let reduction: Double
  /// Handing out the parameters, on this rank.
  public let gathering: Double
}

extension NetworkBenchmark {
  /// Measures the parts of a step on all ranks at the same time; the slowest rank's count.
  ///
  /// - Throws: when the order does not exist for this size, or a rank is silent.
  public func stepParts(_ order: BenchmarkOrder) throws -> StepParts {
    let plan = try plan(order)
    var training = self.training ?? makeTraining()
    let reduction = training.reduction
    let floats = Double(max(1, network.layout.count))
    let owned = Double(max(1, reduction.shards.owned(by: communicator.rank).reduce(0) { $0 + $1.count }))
    let trace: Trace? = self.trace
    trace?.reset()
    try communicator.barrier()
    trace.measure(.prepare) { network.prepare(parameters: parameters, workspace: training.workspace, pool: pool) }
    let clock = ContinuousClock()
    let microbatch =
      clock.measure { self.microbatch(plan, training, gradient: reduction.sum, trace: trace) { _ in } } / .seconds(1)
    let addition =
      clock.measure {
        VectorSum.add(parameters, from: 0, into: reduction.sum, at: 0, count: network.layout.count, pool: pool)
      } / .seconds(1)
    trace.measure(.update) { update(&training, norm: 1) }
    self.training = training
    let measured = [
      self.trace.seconds(.prepare), microbatch, self.trace.seconds(.backward), self.trace.seconds(.update) / owned,
      addition / floats,
    ]
    let all = try communicator.allGather(measured)
    func slowest(_ index: Int) -> Double {
      stride(from: index, to: all.count, by: measured.count).reduce(0) { max($0, all[$1]) }
    }
    return StepParts(
      preparation: slowest(0), microbatch: slowest(1), backward: slowest(2), update: slowest(3), addition: slowest(4))
  }

  /// Seconds of a training step's computation alone, on the slowest rank: each rank's microbatches and the update of its
  /// share, without any exchange.
  ///
  /// - Throws: when the order does not exist for this size, or a rank is silent.
  public func computation(_ order: BenchmarkOrder) throws -> Double {
    let plan = try plan(order)
    var training = self.training ?? makeTraining()
    let seconds = try measured {
      network.prepare(parameters: parameters, workspace: training.workspace, pool: pool)
      let reduction = training.reduction
      for _ in reduction.localSlots {
        microbatch(plan, training, gradient: reduction.sum, trace: nil) { _ in }
      }
      update(&training, norm: 1)
    }
    self.training = training
    return seconds
  }

  /// A training step's exchange alone: the reduction of gradients that are all there, their norm, and the gathering of the
  /// parameters.
  ///
  /// - Throws: when a rank is silent.
  public func exchange() throws -> ExchangeMeasurement {
    var training = self.training ?? makeTraining()
    let reduction = training.reduction
    let trace: Trace? = self.trace
    let seconds = try measured {
      try trace.measure(.reduce) {
        reduction.beginStep(training.step)
        for _ in reduction.localSlots { reduction.finishSlot() }
        try reduction.finishStep()
        _ = try reduction.gradientNorm()
      }
      try trace.measure(.gather) { try reduction.shards.gather(parameters, over: communicator) }
    }
    training.step += 1
    self.training = training
    return ExchangeMeasurement(
      seconds: seconds, reduction: self.trace.seconds(.reduce), gathering: self.trace.seconds(.gather))
  }

  /// A model of this benchmark's steps.
  public func scalingModel(_ parts: StepParts, network: ScalingModel.Network) -> ScalingModel {
    ScalingModel(
      parts: parts, parameters: self.network.layout.count, microbatches: options.microbatches, images: options.batch,
      network: network)
  }
}
