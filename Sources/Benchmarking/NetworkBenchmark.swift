import Collectives
import Kernels
import Model
import Optimization
import Orders
import Tensors
import Tracing

/// Training steps and forward passes of a network on synthetic images, measured. All ranks call its functions together.
public final class NetworkBenchmark {
  /// What is measured.
  public struct Options: Sendable {
    /// The network.
    public var model: ModelConfiguration
    /// Size of the images.
    public var size: ImageSize
    /// Images of a microbatch.
    public var batch: Int
    /// Microbatches of a step, over all ranks.
    public var microbatches: Int
    /// Threads of each rank.
    public var threads: Int
    /// Which activations a training forward pass keeps.
    public var retention: ActivationRetention

    /// All of them.
    public init(
      model: ModelConfiguration, size: ImageSize, batch: Int, microbatches: Int, threads: Int,
      retention: ActivationRetention = .everything
    ) {
      self.model = model
      self.size = size
      self.batch = batch
      self.microbatches = microbatches
      self.threads = threads
      self.retention = retention
    }
  }

  /// The network.
  public let network: AutoregressiveNetwork
  /// The threads of this rank.
  public let pool: ThreadPool
  let options: Options
  let communicator: any Communicator
  let trace: Trace
  private let loss: PixelLoss
  private let levels: [UInt8]
  private let nats: DoubleBuffer
  private let scratch: DoubleBuffer
  let parameters: FloatBuffer
  private var plans: [BenchmarkOrder: OrderPlan] = [:]
  var training: Training?
  private var evaluationWorkspace: NetworkWorkspace?

  /// What only training needs; made when it is first measured, so that the memory of either can be told.
  struct Training {
    let workspace: NetworkWorkspace
    let reduction: GradientReduction
    var adam: Adam
    var step = 0
  }

  /// Initial parameters and random images.
  public init(_ options: Options, communicator: any Communicator) {
    self.options = options
    self.communicator = communicator
    network = AutoregressiveNetwork(options.model)
    pool = ThreadPool(threads: options.threads)
    // A step is summed up and forgotten; the spans themselves are not asked for.
    trace = Trace(capacity: 1, labels: network.traceLabels)
    loss = PixelLoss(distribution: options.model.distribution, channels: options.model.channels)
    var generator = KeyedGenerator(seed: 1, purpose: .sampling, slot: communicator.rank)
    let top = UInt32(options.model.distribution.levels)
    levels = (0..<(options.batch * options.size.pixels * options.model.channels)).map { _ in
      UInt8(generator.nextBits() % top)
    }
    nats = DoubleBuffer(count: options.batch * options.size.pixels)
    scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    parameters = network.initialParameters(seed: 1)
  }

  /// One training step: forward, loss and backward of every microbatch, the reduction, Adam, and the gathering of the new
  /// parameters.
  ///
  /// - Throws: when the network does not take the order, or there is none of this size, or a rank is silent.
  public func trainingStep(_ order: BenchmarkOrder) throws -> NetworkMeasurement {
    let plan = try plan(order)
    var training = self.training ?? makeTraining()
    let trace: Trace? = self.trace
    let seconds = try measured {
      let (workspace, reduction) = (training.workspace, training.reduction)
      trace.measure(.prepare) { network.prepare(parameters: parameters, workspace: workspace, pool: pool) }
      reduction.beginStep(training.step)
      for _ in reduction.localSlots {
        microbatch(plan, training, gradient: reduction.leaf, trace: trace) { reduction.didComplete(from: $0) }
        reduction.finishSlot()
      }
      let norm = try trace.measure(.reduce) {
        try reduction.finishStep()
        return try reduction.gradientNorm()
      }
      trace.measure(.update) { update(&training, norm: norm) }
      try trace.measure(.gather) { try reduction.shards.gather(parameters, over: communicator) }
      training.step += 1
    }
    self.training = training
    return try measurement(
      seconds: seconds, images: options.microbatches * options.batch, plan: plan,
      passes: training.reduction.localSlots.count)
  }

  /// Forward, loss and backward of one microbatch. `completed` is told from which offset on `gradient` is final.
  func microbatch(
    _ plan: OrderPlan, _ training: Training, gradient: FloatBuffer, trace: Trace?, completed: (Int) -> Void
  ) {
    let workspace = training.workspace
    trace.measure(.data) { workspace.prepareInput(levels: levels, images: options.batch) }
    trace.measure(.forward) {
      network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool, trace: trace)
    }
    trace.measure(.loss) {
      loss.evaluate(
        levels: levels, logits: workspace.logits, dLogits: workspace.dLogits, nats: nats, scratch: scratch, pool: pool)
    }
    trace.measure(.backward) {
      network.backward(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, pool: pool, trace: trace,
        completed: completed)
    }
  }

  /// Adam on what this rank owns.
  func update(_ training: inout Training, norm: Double) {
    training.adam.update(
      parameters, gradient: training.reduction.sum, learningRate: 2e-4,
      gradientScale: GradientClipping.scale(norm: norm, maximum: 2e6), pool: pool)
  }

  /// One forward pass of a batch on every rank, without gradients.
  ///
  /// - Throws: when the network does not take the order, or there is none of this size, or a rank is silent.
  public func forwardPass(_ order: BenchmarkOrder) throws -> NetworkMeasurement {
    let plan = try plan(order)
    let workspace = evaluationWorkspace ?? makeEvaluationWorkspace()
    let trace: Trace? = self.trace
    let seconds = try measured {
      trace.measure(.data) { workspace.prepareInput(levels: levels, images: options.batch) }
      trace.measure(.forward) {
        network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool, trace: trace)
      }
      trace.measure(.loss) {
        loss.evaluate(levels: levels, logits: workspace.logits, nats: nats, scratch: scratch, pool: pool)
      }
    }
    return try measurement(seconds: seconds, images: communicator.size * options.batch, plan: plan, passes: 1)
  }

  /// What `cblas_sgemm` reaches on all threads of all ranks at the same time, in GFLOP/s.
  ///
  /// - Throws: when a rank is silent.
  public func matrixProductPeak() throws -> Double {
    try communicator.barrier()
    return try communicator.allGather([GEMMPeak.measure(pool: pool)]).reduce(0, +)
  }

  /// Bytes of the activations that a rank keeps for training.
  public var trainingWorkspaceBytes: Int {
    NetworkWorkspace.bytes(network: network, size: options.size, images: options.batch, retaining: options.retention)
  }

  func makeTraining() -> Training {
    let reduction = GradientReduction(
      count: network.layout.count, slots: options.microbatches, communicator: communicator, pool: pool)
    return Training(
      workspace: NetworkWorkspace(
        network: network, size: options.size, images: options.batch, retaining: options.retention),
      reduction: reduction, adam: Adam(ranges: reduction.shards.owned(by: communicator.rank)))
  }

  private func makeEvaluationWorkspace() -> NetworkWorkspace {
    let workspace = NetworkWorkspace(
      network: network, size: options.size, images: options.batch, retaining: .nothing)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    evaluationWorkspace = workspace
    return workspace
  }

  func plan(_ order: BenchmarkOrder) throws -> OrderPlan {
    if let plan = plans[order] { return plan }
    let generationOrder = try order.order(size: options.size)
    try network.require(order: generationOrder, named: order.rawValue)
    let plan = OrderPlan(order: generationOrder, windows: network.windows)
    plans[order] = plan
    return plan
  }

  /// Seconds that `body` takes on the slowest rank, when all begin together.
  func measured(_ body: () throws -> Void) throws -> Double {
    trace.reset()
    try communicator.barrier()
    let taken = try ContinuousClock().measure { try body() }
    return try communicator.allGather([taken / .seconds(1)]).max() ?? 0
  }

  private func measurement(
    seconds: Double, images: Int, plan: OrderPlan, passes: Int
  ) throws -> NetworkMeasurement {
    var products: [Phase: NetworkMeasurement.Product] = [:]
    var maskedSeconds = 0.0
    var otherProductSeconds = 0.0
    for layer in network.work(plan: plan) {
      for phase in [Phase.convolution, .inputGradient, .weightGradient] {
        let spent = trace.seconds(phase, label: layer.label)
        guard spent > 0 else { continue }
        guard layer.isMasked else {
          otherProductSeconds += spent
          continue
        }
        maskedSeconds += spent
        products[phase, default: .init()].add(
          operations: 2 * layer.multiplications * options.batch * passes, seconds: spent)
      }
    }
    let phases: [Phase] = [.prepare, .data, .forward, .loss, .backward, .reduce, .update, .gather]
    return NetworkMeasurement(
      seconds: seconds, images: images,
      phases: Dictionary(uniqueKeysWithValues: phases.map { ($0.name, trace.seconds($0)) }).filter { $0.value > 0 },
      forward: products[.convolution], inputGradient: products[.inputGradient],
      weightGradient: products[.weightGradient], maskedSeconds: maskedSeconds, otherProductSeconds: otherProductSeconds,
      peakMemoryBytes: try communicator.allGather([Double(PeakMemory.bytes())]).reduce(0, +))
  }
}

extension Communicator {
  /// Numbers of all ranks, by rank; each gives as many.
  func allGather(_ values: [Double]) throws(CollectiveError) -> [Double] {
    var all = [Double](repeating: 0, count: values.count * size)
    all.replaceSubrange((values.count * rank)..<(values.count * (rank + 1)), with: values)
    try allGather(&all, counts: Array(repeating: values.count, count: size))
    return all
  }
}
