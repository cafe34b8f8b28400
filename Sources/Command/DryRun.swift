import Checkpoints
import Collectives
import Datasets
import Foundation
import Logging
import Orders
import Training

/// `lmconv train --dry-run`: checks all that a run needs, and measures a step to estimate the time. Writes nothing.
struct DryRun {
  private let experiment: Experiment
  private let folder: RunFolder
  private let communicator: any Communicator
  private let stopSignal: StopSignal

  init(_ experiment: Experiment, folder: RunFolder, communicator: any Communicator, stopSignal: StopSignal) {
    self.experiment = experiment
    self.folder = folder
    self.communicator = communicator
    self.stopSignal = stopSignal
  }

  /// What a rank tells the others of itself.
  private struct RankReport: Codable {
    let resources: HostResources
    let threads: Int
    let memory: TrainingMemory
  }

  /// What `--json` prints.
  private struct Report: Encodable {
    let findings: [Finding]
    let canRun: Bool
    let parameters: Int
    let steps: Int
    let firstStep: Int
    let ranks: Int
    /// Of rank 0.
    let memory: TrainingMemory
    let checkpointBytes: Int
    let timing: StepTiming?
    let secondsPerStep: Double?
    let trainingSeconds: Double?
    let evaluationSeconds: Double?

    enum CodingKeys: String, CodingKey {
      case findings, parameters, steps, ranks, memory, timing
      case canRun = "can_run"
      case firstStep = "first_step"
      case checkpointBytes = "checkpoint_bytes"
      case secondsPerStep = "seconds_per_step"
      case trainingSeconds = "training_seconds"
      case evaluationSeconds = "evaluation_seconds"
    }
  }

  /// Checks and prints on rank 0.
  ///
  /// - Returns: whether nothing would stop the run; the same on all ranks.
  /// - Throws: when the data cannot be used, or a rank is silent.
  func run(resume: TrainingRun.Resume, allowsChanges: Bool, json: Bool, log: Logger) throws -> Bool {
    var findings = Findings()
    let dataset = try experiment.loadTrainingImages()
    let training = experiment.configuration.training
    let sampler = try EpochSampler(
      count: dataset.count, slots: training.microbatches, imagesPerSlot: training.microbatchSize,
      seed: experiment.configuration.seed)
    let schedule = TrainingSchedule(training, stepsPerEpoch: sampler.stepsPerEpoch)
    checkData(
      dataset, sizes: try experiment.trainingSizes(), sampler: sampler, schedule: schedule, &findings)

    let reports = try communicator.gather(
      RankReport(
        resources: HostResources(communicator),
        threads: HostThreads.count(
          requested: experiment.configuration.run.threads, communicator: communicator),
        memory: try TrainingMemory(experiment, rank: communicator.rank, ranks: communicator.size)))
    checkRanks(reports, &findings)
    let fits = checkMemory(reports, &findings)

    var firstStep = 0
    if communicator.rank == 0 {
      let resumption = Resumption(experiment.configuration, folder: folder, dataset: dataset, log: log)
      firstStep = checkCheckpoint(
        { try resumption.checkpoint(resume, allowsChanges: allowsChanges) }, totalSteps: schedule.totalSteps,
        &findings)
      checkFolder(schedule: schedule, &findings)
    }

    // Nothing of that size is allocated where it does not fit.
    let timing = fits ? try measure(log: log) : nil
    if communicator.rank == 0 {
      let plan = timing.map { Plan($0, experiment, schedule: schedule, firstStep: firstStep, ranks: reports.count) }
      if let plan { findings.ok("time", plan.text) }
      try show(
        Report(
          findings: findings.all, canRun: !findings.hasFailure,
          parameters: experiment.network.layout.parameterCount, steps: schedule.totalSteps, firstStep: firstStep,
          ranks: reports.count, memory: reports[0].memory, checkpointBytes: CheckpointSize.bytes(experiment),
          timing: timing, secondsPerStep: timing?.stepSeconds, trainingSeconds: plan?.trainingSeconds,
          evaluationSeconds: plan?.evaluationSeconds),
        text: findings.text, json: json)
    }
    return try communicator.maximum(findings.hasFailure ? 1 : 0) == 0
  }

  private func measure(log: Logger) throws -> StepTiming {
    try TrainingRun(experiment, folder: folder, communicator: communicator, stopSignal: stopSignal, log: log)
      .measureStep()
  }

  private func show(_ report: Report, text: String, json: Bool) throws {
    guard !json else { return try JSONOutput.print(report) }
    print(text)
    print(report.canRun ? "nothing stops this run" : "this run would fail")
  }

  // MARK: Checks

  private func checkData(
    _ dataset: ImageDataset, sizes: SizeSelection, sampler: EpochSampler, schedule: TrainingSchedule,
    _ findings: inout Findings
  ) {
    let test = experiment.test
    findings.ok(
      "data",
      "\(dataset.name): \(dataset.count) training and \(test.count) test images of \(test.size), "
        + "\(Quantity.count(test.channels, "channel")) of \(Quantity.count(test.bits, "bit"))")
    for picture in dataset.skipped + test.skipped { findings.warning("left out", "\(picture)") }
    if sizes.scales(dataset.size) {
      findings.ok("sizes", "training images are scaled to \(sizes.described), test images stay \(test.size)")
    }
    let training = experiment.configuration.training
    findings.ok(
      "steps",
      "\(schedule.totalSteps) of \(training.microbatches) x \(training.microbatchSize) images, "
        + "\(sampler.stepsPerEpoch) an epoch")
    let orders = experiment.configuration.orders
    func list(_ choices: [OrderChoice]) -> String { choices.map(\.description).joined(separator: ",") }
    let trained =
      switch orders.train {
      case .fresh: "new random ones"
      case .list(let choices): list(choices)
      }
    findings.ok(
      "orders",
      "\(trained) to train with, \(list(orders.test)) to test with; 0 to 7 are variants of "
        + (orders.file ?? orders.base.rawValue))
    findings.ok(
      "network",
      "\(experiment.network.layout.parameterCount) parameters in \(experiment.network.layout.entries.count) tensors")
  }

  private func checkRanks(_ reports: [RankReport], _ findings: inout Findings) {
    let microbatches = experiment.configuration.training.microbatches
    var isFit = true
    func warn(_ message: String) {
      findings.warning("ranks", message)
      isFit = false
    }
    if reports.count > microbatches {
      warn(
        "\(reports.count) ranks share \(microbatches) microbatches: \(reports.count - microbatches) would be idle; "
          + "start fewer, or raise training.microbatches")
    }
    for (host, ranks) in hosts(reports) {
      let threads = ranks.reduce(0) { $0 + reports[$1].threads }
      let cores = reports[ranks[0]].resources.cores
      if threads > cores {
        warn(
          "\(host): \(ranks.count) ranks use \(threads) threads on \(cores) cores; start fewer ranks or lower run.threads"
        )
      }
      if let bound = ranks.first(where: { reports[$0].threads > reports[$0].resources.usableCores }), threads <= cores {
        warn(
          "\(host): rank \(bound) has \(reports[bound].threads) threads but may use "
            + "\(Quantity.count(reports[bound].resources.usableCores, "core")); start with mpirun --bind-to none")
      }
    }
    guard isFit else { return }
    let threads = Set(reports.map(\.threads)).sorted().map(String.init).joined(separator: " or ")
    findings.ok(
      "ranks",
      "\(Quantity.count(reports.count, "rank")) of \(threads) thread\(threads == "1" ? "" : "s") on "
        + hosts(reports).map { "\($0.host) (\(Quantity.count(reports[$0.ranks[0]].resources.cores, "core")))" }
        .joined(separator: ", "))
  }

  /// - Returns: whether the memory suffices on every host; the same on all ranks.
  private func checkMemory(_ reports: [RankReport], _ findings: inout Findings) -> Bool {
    var fits = true
    for (host, ranks) in hosts(reports) {
      let needed = ranks.reduce(0) { $0 + reports[$1].memory.total }
      let most = ranks.map { reports[$0].memory }.max { $0.total < $1.total } ?? reports[0].memory
      let needs =
        "\(Quantity.bytes(needed)) for \(Quantity.count(ranks.count, "rank")) on \(host)"
        + (ranks.count > 1 ? ", at most \(Quantity.bytes(most.total)) each" : "")
        + " (parameters \(Quantity.bytes(most.parameters)), "
        + "gradients \(Quantity.bytes(most.gradients)), "
        + "optimizer and average \(Quantity.bytes(most.optimizer + most.average)), "
        + "activations \(Quantity.bytes(most.activations)), orders \(Quantity.bytes(most.orders)), evaluation \(Quantity.bytes(most.evaluation)), "
        + "checkpoint \(Quantity.bytes(most.checkpoint)))"
      // The least that any rank saw: they looked one after the other.
      let available = ranks.compactMap { reports[$0].resources.availableMemory }.min()
      guard let available else {
        findings.warning("memory", "\(needs); this system does not say how much is free")
        continue
      }
      if needed > available {
        fits = false
        findings.failure(
          "memory",
          "\(needs); only \(Quantity.bytes(available)) are free. Use fewer ranks on a host, or lower "
            + "training.microbatch_size, evaluation.batch_size or model.filters")
      } else if needed > available / 10 * 9 {
        findings.warning("memory", "\(needs); nearly all of the \(Quantity.bytes(available)) that are free")
      } else {
        findings.ok("memory", "\(needs); \(Quantity.bytes(available)) are free")
      }
    }
    return fits
  }

  /// - Returns: the step that the run would begin after.
  private func checkCheckpoint(
    _ select: () throws -> Checkpoint?, totalSteps: Int, _ findings: inout Findings
  ) -> Int {
    do {
      guard let checkpoint = try select() else {
        findings.ok("checkpoint", "none to go on from: a new run")
        return 0
      }
      let state = "\(checkpoint.path), step \(checkpoint.step) of \(totalSteps)"
      if checkpoint.step >= totalSteps {
        findings.warning("checkpoint", "the run is complete: \(state)")
      } else {
        findings.ok("checkpoint", "would go on from \(state)")
      }
      return checkpoint.step
    } catch {
      findings.failure("checkpoint", Job.describe(error))
      return 0
    }
  }

  private func checkFolder(schedule: TrainingSchedule, _ findings: inout Findings) {
    let options = experiment.configuration.checkpoint
    let size = CheckpointSize.bytes(experiment)
    do {
      let free = try folder.freeBytes()
      if let holder = try RunLock.holder(ofRunFolder: folder.path) {
        throw CheckpointError.inUse(runFolder: folder.path, holder: holder)
      }
      findings.ok("run folder", folder.path)
      // The newest, the best, and one that is being written; then those kept for good.
      let kept = options.keepLast + 2 + (options.keepEvery > 0 ? schedule.totalSteps / options.keepEvery : 0)
      let existing = try CheckpointStore(runFolder: folder.path).list().count
      let needed = size * max(1, kept - existing)
      let text =
        "checkpoints of \(Quantity.bytes(size)), up to \(kept) of them: \(Quantity.bytes(needed)) more; "
        + "\(Quantity.bytes(free)) are free"
      if needed > free {
        findings.failure("disk", text + ". Lower checkpoint.keep_last, or choose another --run-dir")
      } else {
        findings.ok("disk", text)
      }
    } catch { findings.failure("run folder", Job.describe(error)) }
  }

  /// Hosts in the order of their first ranks.
  private func hosts(_ reports: [RankReport]) -> [(host: String, ranks: [Int])] {
    var hosts: [(host: String, ranks: [Int])] = []
    for (rank, report) in reports.enumerated() {
      if let index = hosts.firstIndex(where: { $0.host == report.resources.host }) {
        hosts[index].ranks.append(rank)
      } else {
        hosts.append((report.resources.host, [rank]))
      }
    }
    return hosts
  }

  /// The time that is left, by what was measured.
  private struct Plan {
    let trainingSeconds: Double
    let evaluationSeconds: Double
    let text: String

    init(_ timing: StepTiming, _ experiment: Experiment, schedule: TrainingSchedule, firstStep: Int, ranks: Int) {
      let steps = max(0, schedule.totalSteps - firstStep)
      let interval = experiment.configuration.evaluation.everySteps
      // One at the end, unless that step is one of the interval's.
      var evaluations = steps > 0 ? 1 : 0
      if interval > 0 && steps > 0 {
        evaluations += (schedule.totalSteps - 1) / interval - firstStep / interval
      }
      trainingSeconds = Double(steps) * timing.stepSeconds
      evaluationSeconds =
        Double(evaluations)
        * timing.evaluationSeconds(
          images: experiment.testImages, orders: experiment.orders.test.count, ranks: ranks)
      text =
        "about \(Quantity.seconds(timing.stepSeconds)) a step (\(Quantity.seconds(timing.computeSeconds)) computing, "
        + "at most \(Quantity.seconds(timing.exchangeSeconds)) exchanging): \(Quantity.count(steps, "step")) in "
        + "\(Quantity.seconds(trainingSeconds)), \(Quantity.count(evaluations, "evaluation")) in "
        + Quantity.seconds(evaluationSeconds)
    }
  }
}
