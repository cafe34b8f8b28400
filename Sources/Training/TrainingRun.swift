import Checkpoints
import Collectives
import Configuration
import Datasets
import Evaluation
import Foundation
import Kernels
import Logging
import Model
import Optimization
import Orders
import Tensors
import Tracing

/// A run from its first step, or from a checkpoint, to its last: the loop that every rank goes through together.
public final class TrainingRun {
  /// What a checkpoint may be resumed from.
  public enum Resume: Sendable, Equatable {
    /// The run folder's newest valid checkpoint, if there is one.
    case automatic
    /// Nothing: a new run.
    case never
    /// A checkpoint's folder, or another run's.
    case from(String)
  }

  /// How a run ended.
  public enum Outcome: Sendable, Equatable {
    /// All steps are done.
    case finished
    /// Somebody asked to stop; the checkpoint of `step` is complete.
    case stopped(step: Int)
  }

  private let experiment: Experiment
  private let configuration: RunConfiguration
  private let folder: RunFolder
  private let communicator: any Communicator
  private let stopSignal: StopSignal
  private let log: Logger
  private let network: AutoregressiveNetwork
  private let pool: ThreadPool
  private let dataset: ImageDataset
  private let schedule: TrainingSchedule
  private let sizes: SizeSelection
  private let microbatch: MicrobatchPass
  private let reduction: GradientReduction
  private let parameters: FloatBuffer
  private let evaluation: LikelihoodEvaluation
  private let profile: TrainingProfile?
  private var trace: Trace? { profile?.trace }
  private let sampler: EpochSampler
  private var stepGuard: StepGuard
  private var adam: Adam
  private var average: ParameterAverage?
  private var slotNats: [Double]
  private var step = 0
  // The checkpoint was written by a run that was stopped before or in the evaluation due at this step.
  private var owesEvaluation = false
  private var bestMetric: Double?
  // How long this rank waited for the others' gradients in the last step.
  private var waitedSeconds = 0.0
  // The step whose summed gradient the reduction still holds.
  private var gradientStep: Int?
  private var elapsedBefore = 0.0
  private let started = ContinuousClock.now
  private var lastCheckpoint = ContinuousClock.now
  private var isRestored = false
  // Rank 0 only.
  private var stepFile: StepFile?
  private var writer: BackgroundCheckpointWriter?
  private var journal: RunJournal?
  private var lock: RunLock?
  // Where the run began, for going back before its first checkpoint.
  private var beginning = Resume.never

  private var isFirstRank: Bool { communicator.rank == 0 }

  /// Loads the data and allocates everything that training needs. With `profilePath`, a trace of all ranks is written
  /// there at the end.
  ///
  /// - Throws: when the data cannot be read, is smaller than a step's images, or differs between ranks, or when the trace
  ///   cannot be written.
  public init(
    _ experiment: Experiment, folder: RunFolder, communicator: any Communicator, stopSignal: StopSignal, log: Logger,
    profilePath: String? = nil
  ) throws {
    self.experiment = experiment
    self.folder = folder
    self.communicator = communicator
    self.stopSignal = stopSignal
    self.log = log
    configuration = experiment.configuration
    network = experiment.network
    let training = configuration.training
    dataset = try experiment.loadTrainingImages()
    try Self.requireEqual("data set", "\(dataset.contentHash)", communicator)
    try Self.requireEqual("configuration", configuration.yaml, communicator)
    if communicator.rank == 0 {
      // A file that cannot be read at all is of neither split, and found with both.
      for picture in Set(dataset.skipped + experiment.test.skipped).map(\.description).sorted() {
        log.warning("left out: \(picture)")
      }
    }
    sampler = try EpochSampler(
      count: dataset.count, slots: training.microbatches, imagesPerSlot: training.microbatchSize,
      seed: configuration.seed)
    schedule = TrainingSchedule(training, stepsPerEpoch: sampler.stepsPerEpoch)
    sizes = try experiment.trainingSizes()
    pool = ThreadPool(threads: HostThreads.count(requested: configuration.run.threads, communicator: communicator))
    stepGuard = StepGuard(configuration.guards)
    reduction = GradientReduction(
      count: network.layout.count, slots: training.microbatches, communicator: communicator, pool: pool)
    microbatch = MicrobatchPass(
      experiment, dataset: dataset, sampler: sampler, sizes: sizes, schedule: schedule, slots: reduction.localSlots,
      pool: pool)
    parameters = network.initialParameters(seed: configuration.seed)
    let owned = reduction.shards.owned(by: communicator.rank)
    adam = Adam(
      Adam.Configuration(
        beta1: training.beta1, beta2: training.beta2, epsilon: training.epsilon, weightDecay: training.weightDecay),
      ranges: owned)
    average =
      training.emaDecay > 0
      ? ParameterAverage(of: parameters, ranges: owned, decay: training.emaDecay, warmsUp: true) : nil
    evaluation = LikelihoodEvaluation(
      network: network, size: dataset.size, batchSize: configuration.evaluation.batchSize, communicator: communicator,
      pool: pool)
    slotNats = [Double](repeating: 0, count: reduction.localSlots.count)
    let (profiled, ranks) = (network, communicator)
    profile = try profilePath.map { try TrainingProfile(path: $0, network: profiled, communicator: ranks) }
  }

  deinit { microbatch.stop() }

  /// Trains from where `resume` says to the end, or until asked to stop.
  ///
  /// - Throws: when the run cannot be resumed, has a step that is not fit for an update and is to end then, cannot be
  ///   written, or a rank is silent.
  public func run(resume: Resume, allowsChanges: Bool) throws -> Outcome {
    try restore(resume, allowsChanges: allowsChanges)
    if step >= schedule.totalSteps && !owesEvaluation {
      log.info("the run is complete: \(step) of \(schedule.totalSteps) steps are done")
      try lock?.release()
      return .finished
    }
    var progress = TrainingProgress(
      configuration, firstStep: step, totalSteps: schedule.totalSteps, stepsPerEpoch: sampler.stepsPerEpoch,
      isShown: isFirstRank, log: log)
    defer { progress.finish() }
    var stepsTaken = 0
    // Asked to while it loaded, a run stops with the checkpoint it would have gone on from.
    var stops = try agreeOnWhatIsDue().stops
    if stops {
      if !isRestored { try save(metric: nil) }
    } else if owesEvaluation {
      stops = try evaluateAndSave(stops: false, saves: false, &progress)
    }
    while !stops && step < schedule.totalSteps {
      report(try writer?.poll())
      guard let record = try trace.measure(.step, { try takeStep(&progress) }) else {
        try rollBack(&progress)
        continue
      }
      stepsTaken += 1
      try stepFile?.write(step)
      let due = try agreeOnWhatIsDue()
      progress.show(record, loads: try rankLoads(progress))
      if step % configuration.run.logEverySteps == 0 || step == schedule.totalSteps { try journal?.append(record) }
      stops = try evaluateAndSave(stops: due.stops, saves: due.savesByTime, &progress)
    }
    progress.finish()
    try finish()
    try writeProfile(steps: stepsTaken)
    return stops ? .stopped(step: step) : .finished
  }

  // MARK: One step

  /// One optimizer step: every rank's microbatches, the reduction, the update of the rank's shards, and the gathering of
  /// the new parameters.
  ///
  /// - Returns: what to record, also of a step that was passed over because it was not fit; nil if the run is to go back.
  private func takeStep(_ progress: inout TrainingProgress) throws -> StepRecord? {
    let epoch = sampler.epoch(ofStep: step)
    progress.stepBegins()
    let (losses, norm) = try computeGradient()
    try requireSameParameters()
    let rate = schedule.learningRate.rate(step: step, epoch: epoch)
    if let reason = stepGuard.reason(losses: losses.bitsPerDimensionOfMicrobatches, norm: norm) {
      guard try passesOver(reason, losses, norm: norm) else { return nil }
    } else {
      try update(rate: rate, norm: norm)
    }
    step += 1

    progress.stepDone(images: configuration.training.imagesPerStep)
    return StepRecord(
      step: step, epoch: epoch, nats: losses.meanNats, bitsPerDimension: losses.bitsPerDimension,
      learningRate: rate, gradientNorm: norm, imagesPerSecond: progress.imagesPerSecond,
      elapsedSeconds: elapsedSeconds, ranks: communicator.size, skippedSteps: stepGuard.skipped,
      sizes: sizes.scales(dataset.size) ? losses.bySize : nil)
  }

  /// Leaves the summed gradient of this rank's shards in the reduction.
  ///
  /// - Returns: the negative log likelihoods of all microbatches, and the norm of the gradient; the same on all ranks.
  private func computeGradient() throws -> (losses: StepLosses, norm: Double) {
    trace.measure(.prepare) { microbatch.prepare(parameters: parameters) }
    reduction.beginStep(step + 1)
    for (index, slot) in reduction.localSlots.enumerated() {
      slotNats[index] = try trainMicrobatch(step: step, slot: slot) { reduction.didComplete(from: $0) }
      reduction.finishSlot()
    }
    gradientStep = step + 1
    return try trace.measure(.reduce) {
      let began = ContinuousClock.now
      try reduction.finishStep()
      waitedSeconds = began.duration(to: .now) / .seconds(1)
      return (losses(try reduction.gatherSlotValues(slotNats)), try reduction.gradientNorm())
    }
  }

  /// The losses `nats` of all microbatches of the current step.
  private func losses(_ nats: [Double]) -> StepLosses {
    StepLosses(
      nats: nats, sizes: nats.indices.map { sizes.size(step: step, slot: $0) }, channels: dataset.channels,
      imagesPerSlot: configuration.training.microbatchSize)
  }

  /// How all ranks fare, for the live view; nothing for others.
  private func rankLoads(_ progress: TrainingProgress) throws -> [RankLoad] {
    guard configuration.run.progress == .rich else { return [] }
    return try RankLoad.gather(
      waitedSeconds: waitedSeconds, stepSeconds: progress.lastStepSeconds, over: communicator)
  }

  private func update(rate: Double, norm: Double) throws {
    let clip = configuration.training.clipNorm
    communicator.phase = .update
    trace.measure(.update) {
      adam.update(
        parameters, gradient: reduction.sum, learningRate: rate,
        gradientScale: clip > 0 ? GradientClipping.scale(norm: norm, maximum: clip) : 1, pool: pool)
      average?.update(parameters, pool: pool)
    }
    communicator.phase = .gathering
    try trace.measure(.gather) { try reduction.shards.gather(parameters, over: communicator) }
    stepGuard.didUpdate()
  }

  /// Forward and backward of one microbatch of `step`; its gradient goes to the reduction's leaf. `completed` is told from
  /// which offset on the gradient is final.
  ///
  /// - Returns: the negative log likelihood of its images, in nats.
  /// - Throws: when they cannot be read, or are damaged.
  private func trainMicrobatch(step: Int, slot: Int, completed: (Int) -> Void) throws -> Double {
    try microbatch.train(
      step: step, slot: slot, parameters: parameters, gradient: reduction.leaf, trace: trace, completed: completed)
  }

  // MARK: Steps that are not fit

  /// Looks into a step that is not fit for an update, and tells the log and the metrics.
  ///
  /// - Returns: whether the step is passed over; otherwise the run is to go back.
  /// - Throws: when the run is to stop.
  private func passesOver(_ reason: StepGuard.Reason, _ losses: StepLosses, norm: Double) throws -> Bool {
    let skippedInARow = stepGuard.skippedInARow
    let fault = StepFault(
      step: step + 1, reason: reason, gradientNorm: norm,
      microbatches: try examine(
        slots: stepGuard.suspects(losses: losses.bitsPerDimensionOfMicrobatches), losses),
      disagreement: try ParameterAgreement.disagreement(parameters, layout: network.layout, communicator: communicator),
      skippedInARow: skippedInARow)
    let response = stepGuard.respond(to: step)
    try journal?.append(
      FaultRecord(step: step + 1, fault: fault, response: response, skippedSteps: stepGuard.skipped))
    guard response != .stop else {
      // What is being written is from before this step: the run goes on from there.
      try waitForWriter()
      report(try writer?.finish())
      throw TrainingError.unfitStep(fault)
    }
    if isFirstRank { log.warning("\(fault.described)\n\(response == .skip ? "passed over" : "going back")") }
    return response == .skip
  }

  /// Computes microbatches `slots`, which have `losses`, once more, each on the rank that owns it; the reports of all
  /// ranks, by slot.
  private func examine(slots: [Int], _ losses: StepLosses) throws -> [MicrobatchReport] {
    let (rank, host) = (communicator.rank, communicator.hosts[communicator.rank])
    let own = slots.filter(reduction.localSlots.contains)
    // Only now: training itself needs no memory for it.
    let gradient = FloatBuffer(count: own.isEmpty ? 0 : network.layout.count)
    let reports = try own.map {
      try microbatch.examine(
        step: step, slot: $0, parameters: parameters, gradient: gradient,
        bitsPerDimensionPerNat: losses.bitsPerDimensionPerNat(slot: $0), rank: rank, host: host)
    }
    return try communicator.gather(reports).flatMap(\.self).sorted { $0.slot < $1.slot }
  }

  /// Every now and then: that all ranks computed with the same parameters, before they are updated.
  private func requireSameParameters() throws {
    let interval = configuration.guards.checkParametersEvery
    guard interval > 0 && (step + 1) % interval == 0 else { return }
    if let disagreement = try ParameterAgreement.disagreement(
      parameters, layout: network.layout, communicator: communicator)
    {
      throw TrainingError.parametersDiffer(step: step + 1, disagreement)
    }
  }

  /// Goes back to the last valid checkpoint, or to where the run began if there is none.
  private func rollBack(_ progress: inout TrainingProgress) throws {
    communicator.phase = .checkpoint
    try waitForWriter()
    report(try writer?.finish())
    var restored: CheckpointContents?
    if isFirstRank {
      let resumption = Resumption(configuration, folder: folder, dataset: dataset, log: log)
      restored = try resumption.checkpoint(.automatic, allowsChanges: true)?.contents
      if restored == nil, case .from = beginning {
        restored = try resumption.checkpoint(beginning, allowsChanges: true)?.contents
      }
    }
    let elapsed = elapsedBefore
    if !(try receive(restored)) { begin() }
    elapsedBefore = elapsed
    gradientStep = nil
    try journal?.goBack(to: step)
    if isFirstRank { log.warning("went back to step \(step)") }
    progress.goBack(to: step)
  }

  /// Repeats step `number`, which counts as in `metrics.jsonl`, from the nearest valid checkpoint before it, on this one
  /// process. Writes nothing.
  ///
  /// - Throws: when there is no such step, or the checkpoint cannot be read.
  public func replay(step number: Int) throws -> StepReplay {
    precondition(communicator.size == 1, "TrainingRun.replay: \(communicator.size) ranks")
    guard (1...schedule.totalSteps).contains(number) else {
      throw TrainingError.noSuchStep(number, last: schedule.totalSteps)
    }
    let restored = try Resumption(configuration, folder: folder, dataset: dataset, log: log)
      .checkpoint(.automatic, notAfter: number - 1, allowsChanges: true)
    try receive(restored?.contents)
    let firstStep = step
    log.info("repeating steps \(firstStep + 1) to \(number)\(restored.map { " from \($0.path)" } ?? "")")
    var progress = TrainingProgress(
      configuration, firstStep: step, totalSteps: number, stepsPerEpoch: sampler.stepsPerEpoch, isShown: true, log: log)
    while step < number - 1 {
      // The run went on after this step, so it was passed over if it was not fit.
      if let record = try takeStep(&progress) { progress.show(record) }
    }
    progress.finish()
    let (losses, norm) = try computeGradient()
    let epoch = sampler.epoch(ofStep: step)
    return StepReplay(
      step: number, firstStep: firstStep, epoch: epoch, nats: losses.meanNats,
      bitsPerDimension: losses.bitsPerDimension, gradientNorm: norm,
      learningRate: schedule.learningRate.rate(step: step, epoch: epoch),
      fault: stepGuard.reason(losses: losses.bitsPerDimensionOfMicrobatches, norm: norm).map { "\($0)" },
      microbatches: try examine(slots: Array(losses.nats.indices), losses))
  }

  /// Measures a step without taking it: a microbatch of each size on every rank at once, then the reduction of what it
  /// left. Parameters and optimizer stay as they are.
  ///
  /// - Throws: when images cannot be read, or a rank is silent.
  public func measureStep() throws -> StepTiming {
    microbatch.prepare(parameters: parameters)
    var microbatchSeconds = 0.0
    var forward = 0.0
    if let slot = reduction.localSlots.first {
      for (index, probability) in sizes.probabilities.enumerated() {
        // A size that is as good as never taken costs as good as nothing.
        guard let step = (step..<(step + 10_000)).first(where: { sizes.index(step: $0, slot: slot) == index }) else {
          continue
        }
        var seconds = 0.0
        // The first one pays for untouched memory and cold caches.
        for _ in 0..<2 { seconds = try StepTiming.seconds { _ = try trainMicrobatch(step: step, slot: slot) { _ in } } }
        microbatchSeconds += probability * seconds
        guard sizes.sizes[index] == sizes.largest else { continue }
        let plan = plan(at: index)
        let largest = StepTiming.seconds {
          network.forward(parameters: parameters, plan: plan, workspace: microbatch.workspace, pool: pool)
        }
        // What is evaluated is not scaled.
        forward = largest * Double(dataset.size.pixels) / Double(sizes.largest.pixels)
      }
    }
    try communicator.barrier()
    let exchange = try StepTiming.seconds {
      reduction.beginStep(step + 1)
      for _ in reduction.localSlots { reduction.finishSlot() }
      try reduction.finishStep()
      _ = try reduction.gradientNorm()
      try reduction.shards.gather(parameters, over: communicator)
    }
    let measured = [Double(reduction.localSlots.count) * microbatchSeconds, exchange, forward]
    var all = [Double](repeating: 0, count: measured.count * communicator.size)
    all.replaceSubrange(
      (measured.count * communicator.rank)..<(measured.count * (communicator.rank + 1)), with: measured)
    try communicator.allGather(&all, counts: Array(repeating: measured.count, count: communicator.size))
    func slowest(_ index: Int) -> Double {
      stride(from: index, to: all.count, by: measured.count).reduce(0) { max($0, all[$1]) }
    }
    return StepTiming(
      computeSeconds: slowest(0), exchangeSeconds: slowest(1),
      forwardSecondsPerImage: slowest(2) / Double(configuration.training.microbatchSize))
  }

  /// The plan of some order of a size, to count or time work: all orders see as many neighbours.
  private func plan(at index: Int) -> OrderPlan {
    OrderPlan(order: sizes.orders(at: index).trainingOrder(step: 0, slot: 0).order, windows: network.windows)
  }

  // MARK: What is due

  /// Whether to stop and whether the clock asks for a checkpoint: agreed by all ranks, because each has its own signals
  /// and only rank 0's clock counts.
  private func agreeOnWhatIsDue() throws -> (stops: Bool, savesByTime: Bool) {
    let interval = configuration.checkpoint.everySeconds
    let isTimeUp = isFirstRank && interval > 0 && lastCheckpoint.duration(to: .now) >= .seconds(interval)
    let agreed = try communicator.maximum(stopSignal.isReceived ? 2 : isTimeUp ? 1 : 0)
    return (agreed == 2, agreed == 1)
  }

  private var isEvaluationDue: Bool {
    let interval = configuration.evaluation.everySteps
    return step == schedule.totalSteps || interval > 0 && step % interval == 0
  }

  private var isCheckpointDue: Bool {
    let interval = configuration.checkpoint.everySteps
    return step == schedule.totalSteps || interval > 0 && step % interval == 0
  }

  // MARK: Evaluation and checkpoints

  /// Evaluates, unless the run `stops`, and writes a checkpoint, if they are due after this step.
  ///
  /// - Returns: whether the run stops: because it was to, or was asked to during the evaluation.
  private func evaluateAndSave(stops: Bool, saves: Bool, _ progress: inout TrainingProgress) throws -> Bool {
    var stops = stops
    var metric: Double?
    if !stops && isEvaluationDue {
      progress.clear()
      do { metric = try trace.measure(.evaluation, { try evaluate(&progress) }) } catch EvaluationError.interrupted(
        let done, let total)
      {
        log.info("evaluation stopped after \(done) of \(total) images")
        stops = true
      }
    }
    if stops || saves || isCheckpointDue || metric != nil {
      communicator.phase = .checkpoint
      try trace.measure(.checkpoint) { try save(metric: metric) }
    }
    return stops
  }

  /// The ensemble's mean negative log likelihood on the test images, in nats.
  private func evaluate(_ progress: inout TrainingProgress) throws -> Double {
    var evaluated = parameters
    if configuration.evaluation.useEMA, let average {
      evaluated = FloatBuffer(count: network.layout.count)
      try reduction.shards.gather(average.values, into: evaluated, over: communicator)
    }
    let report = try evaluation.evaluate(
      parameters: evaluated, dataset: experiment.test, images: 0..<experiment.testImages,
      orders: experiment.orders.test, seed: configuration.seed, shouldStop: { stopSignal.isReceived },
      progress: { progress.showEvaluation($0, of: experiment.testImages) })
    let summary = LikelihoodSummary(report, imagesInSet: experiment.test.count)
    try journal?.append(EvaluationRecord(step: step, evaluation: summary))
    log.info(
      """
      step \(step): test likelihood \(summary.ensemble.described), ensemble of \(summary.orders.count) orders, \
      \(summary.images) of \(summary.imagesInSet) images
      """)
    bestMetric = min(bestMetric ?? .infinity, summary.ensemble.nats)
    try show(evaluated)
    return summary.ensemble.nats
  }

  /// What can be seen of a model of `evaluated` parameters besides its likelihood.
  private func show(_ evaluated: FloatBuffer) throws {
    let pictures = try ModelPictures(experiment, communicator: communicator, pool: pool)
      .draw(parameters: evaluated, shouldStop: { stopSignal.isReceived })
    try journal?.append(step: step, pictures)
    guard configuration.monitoring.tensorboard && configuration.monitoring.histograms else { return }
    try journal?.append(step: step, histogramsOf: parameters, layout: network.layout, name: "weights")
    // A run that goes on with an evaluation has taken no step yet.
    guard gradientStep == step else { return }
    let shards = reduction.shards
    let own = ShardedVector(ranges: shards.owned(by: communicator.rank))
    own.load(from: reduction.sum)
    guard let gradient = try shards.gatherOnFirstRank(own, over: communicator) else { return }
    try journal?.append(step: step, histogramsOf: gradient, layout: network.layout, name: "gradients")
  }

  /// Gathers the sharded state on rank 0, which writes it in the background.
  private func save(metric: Double?) throws {
    try waitForWriter()
    let shards = reduction.shards
    let first = try shards.gatherOnFirstRank(adam.firstMoment, over: communicator)
    let second = try shards.gatherOnFirstRank(adam.secondMoment, over: communicator)
    let ema = try average.flatMap { try shards.gatherOnFirstRank($0.values, over: communicator) }
    lastCheckpoint = .now
    guard let writer, let first, let second else { return }
    let state = CheckpointState(
      step: step, epoch: sampler.epoch(ofStep: step), seed: configuration.seed, configuration: configuration.yaml,
      datasetHash: "\(dataset.contentHash)", metric: metric, bestMetric: bestMetric,
      imagesSeen: step * configuration.training.imagesPerStep, elapsedSeconds: elapsedSeconds,
      counters: stepGuard.counters, dataFiles: Resumption.descriptions(of: dataset.files))
    report(
      try writer.submit(
        CheckpointContents(
          state: state, layout: network.layout, parameters: parameters, ema: ema, moments: (first, second))))
  }

  private func report(_ written: WrittenCheckpoint?) {
    guard let written else { return }
    log.debug("checkpoint \(written.path) is complete")
    for failure in written.notRemoved { log.warning("an old checkpoint could not be removed: \(failure)") }
  }

  /// Returns when rank 0 has written the checkpoint under way. All ranks wait together, in short waits, so that a file
  /// system slower than their patience with each other does not end the job.
  private func waitForWriter() throws {
    let began = ContinuousClock.now
    var warned = began
    while try communicator.maximum(writer?.pathUnderWay == nil ? 0 : 1) == 1 {
      guard let writer, let path = writer.pathUnderWay else { continue }
      let seconds = began.duration(to: .now) / .seconds(1)
      guard seconds < configuration.checkpoint.timeoutSeconds else {
        throw TrainingError.storageTooSlow(path: path, seconds: seconds)
      }
      if warned.duration(to: .now) > .seconds(30) {
        warned = .now
        log.warning("waiting for \(path), which is being written for \(Int(seconds)) s more than a step allows")
      }
      writer.wait(atMost: .milliseconds(50))
    }
  }

  /// Waits for the last checkpoint; no rank leaves before it is complete.
  private func finish() throws {
    try waitForWriter()
    report(try writer?.finish())
    try communicator.barrier()
    try lock?.release()
  }

  /// Writes the trace and logs how fast the run was, if it is profiled.
  private func writeProfile(steps: Int) throws {
    guard let profile else { return }
    let operations = sizes.sizes.indices.map { network.trainingOperations(plan: plan(at: $0)) }
    let slots = configuration.training.microbatches
    let taken = (max(0, step - steps)..<step).flatMap { step in
      (0..<slots).map { operations[sizes.index(step: step, slot: $0)] }
    }
    let summary = try profile.finish(
      steps: steps, imagesPerStep: configuration.training.imagesPerStep,
      operationsPerImage: taken.isEmpty ? operations[0] : taken.reduce(0, +) / taken.count, pool: pool)
    log.info("\(summary)")
  }

  // MARK: Resuming

  /// Takes the lock, and the state of a checkpoint if there is one to resume from. Rank 0 reads; the others receive, so
  /// that the run's folder need not be shared.
  private func restore(_ resume: Resume, allowsChanges: Bool) throws {
    beginning = resume
    var restored: CheckpointContents?
    if isFirstRank {
      try folder.create()
      let retention = CheckpointRetention(
        keepLast: configuration.checkpoint.keepLast, keepEvery: configuration.checkpoint.keepEvery)
      let lock = try RunLock(runFolder: folder.path)
      if let abandoned = lock.abandonedBy { log.warning("took over \(folder.path) from \(abandoned)") }
      self.lock = lock
      let checkpointWriter = try CheckpointWriter(lock: lock, retention: retention)
      restored = try Resumption(configuration, folder: folder, dataset: dataset, log: log)
        .checkpoint(resume, allowsChanges: allowsChanges)?.contents
      for path in try checkpointWriter.setAside(newerThan: restored?.state.step) {
        log.warning("a checkpoint newer than what the run goes on from was set aside as \(path)")
      }
      try folder.write(configuration.yaml, to: folder.configuration)
      writer = BackgroundCheckpointWriter(checkpointWriter)
    }
    try receive(restored)
    if isFirstRank {
      stepFile = try StepFile(path: folder.step, step: step)
      let start = ResumeRecord(
        event: step == 0 ? "start" : "resume", step: step, time: Date.now.formatted(.iso8601),
        ranks: communicator.size, threads: pool.threads)
      journal = try RunJournal(folder, options: configuration.monitoring, orders: experiment.orders, start: start)
    }
    let scaled = sizes.scales(dataset.size) ? ", scaled to \(sizes.described)" : ""
    log.info(
      """
      \(step == 0 ? "training" : "going on from step \(step)"): \(network.layout.parameterCount) parameters, \
      \(dataset.count) images of \(dataset.size)\(scaled), \(schedule.totalSteps) steps of \
      \(configuration.training.microbatches) microbatches of \(configuration.training.microbatchSize) images, \
      ranks: \(communicator.size), threads of each: \(pool.threads)
      """)
  }

  /// Distributes rank 0's checkpoint, if it has one: parameters to all ranks, moments and averages to their owners.
  ///
  /// - Returns: whether it has one.
  @discardableResult
  private func receive(_ restored: CheckpointContents?) throws -> Bool {
    let encoded = try restored.map { [UInt8](try JSONEncoder().encode($0.state)) } ?? []
    let bytes = try communicator.broadcast(encoded, from: 0)
    guard !bytes.isEmpty else { return false }
    let state = try JSONDecoder().decode(CheckpointState.self, from: Data(bytes))
    let layout = network.layout
    try restored?.copyParameters(to: parameters, layout: layout)
    try broadcast(parameters)
    let first = FloatBuffer(count: layout.count)
    let second = FloatBuffer(count: layout.count)
    try restored?.copyMoments(first: first, second: second, layout: layout)
    try broadcast(first)
    try broadcast(second)
    adam.firstMoment.load(from: first)
    adam.secondMoment.load(from: second)
    stepGuard.restore(state.counters)
    // A step that was passed over was no update.
    adam.updates = state.step - stepGuard.skipped
    if average != nil {
      // A run that did not keep an average before starts one from its parameters.
      if let restored, restored.ema == nil {
        first.copy(from: parameters)
      } else {
        try restored?.copyEMA(to: first, layout: layout)
      }
      try broadcast(first)
      average?.values.load(from: first)
      average?.updates = adam.updates
    }
    isRestored = true
    step = state.step
    elapsedBefore = state.elapsedSeconds
    owesEvaluation = step > 0 && isEvaluationDue && state.metric == nil
    bestMetric = state.bestMetric
    return true
  }

  /// Puts everything as it is before the first step of a new run.
  private func begin() {
    parameters.copy(from: network.initialParameters(seed: configuration.seed))
    adam.firstMoment.storage.fill(0)
    adam.secondMoment.storage.fill(0)
    adam.updates = 0
    average?.values.load(from: parameters)
    average?.updates = 0
    stepGuard.restore([:])
    step = 0
    bestMetric = nil
  }

  /// Rank 0's `buffer` to all ranks.
  private func broadcast(_ buffer: FloatBuffer) throws {
    let ranges = (0..<communicator.size).map { $0 == 0 ? 0..<buffer.count : buffer.count..<buffer.count }
    try communicator.allGather(buffer, ranges: ranges)
  }

  private static func requireEqual(_ what: String, _ value: String, _ communicator: any Communicator) throws {
    let values = try communicator.allGather([UInt8](value.utf8))
    for (rank, bytes) in values.enumerated() where bytes != values[0] {
      // A whole configuration is too long for a message; the first line that differs says more.
      let expected = String(decoding: values[0], as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      let found = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      let line = zip(expected, found).first { $0 != $1 }
      throw TrainingError.ranksDiffer(
        what: what, rank: rank, host: communicator.hosts[rank], expected: String(line?.0 ?? "nothing"),
        found: String(line?.1 ?? "nothing"))
    }
  }

  private var elapsedSeconds: Double { elapsedBefore + started.duration(to: .now) / .seconds(1) }
}
