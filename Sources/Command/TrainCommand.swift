import ArgumentParser
import Compression
import Configuration
import Foundation
import Logging
import Training

/// `lmconv train`
struct TrainCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "train",
    abstract: "Train a model, alone or as one of several MPI ranks, and go on with a run that was interrupted.",
    discussion: """
      Examples:
        # the digits that come with the program
        lmconv train
        mpirun -n 4 lmconv train --config my.yaml --set data.folder=mnist
        lmconv train --set training.steps=2000 --run-dir runs/longer
        # a trace of every rank's phases, and the speed against the machine's peak
        lmconv train --profile trace.json
        # which microbatch, image and layer made step 812 fail
        lmconv train --run-dir runs/longer --replay 812
        # check everything, estimate the time, train nothing
        lmconv train --config my.yaml --dry-run

      The result has the same bits on any number of ranks and threads. Ctrl-C or SIGTERM finishes the step, writes a \
      checkpoint and ends with exit code 75; the same command goes on from there. A second one ends at once.
      """)

  @Option(help: ArgumentHelp("YAML file of the run; see docs/configuration.md.", valueName: "file"))
  var config: String?

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the configuration; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Option(help: ArgumentHelp("Folder of the run (default: runs/NAME).", valueName: "folder"))
  var runDir: String?

  @Option(
    help: ArgumentHelp("Go on from: auto, never, or a checkpoint's or run's folder.", valueName: "auto|never|path"))
  var resume = "auto"

  @Flag(help: "Go on although the configuration or the data differ from the checkpoint's.")
  var allowChanges = false

  @Option(help: ArgumentHelp("Newest checkpoints to keep (checkpoint.keep_last).", valueName: "n"))
  var keepLast: Int?

  @Option(help: ArgumentHelp("Keep checkpoints at multiples of n steps (checkpoint.keep_every).", valueName: "n"))
  var keepEvery: Int?

  @Flag(help: "Leave out pictures that cannot be used, and list them (data.skip_bad).")
  var skipBad = false

  @Option(help: ArgumentHelp("What draws a generation order (orders.per).", valueName: "microbatch|step"))
  var ordersPer: String?

  @Option(
    help: ArgumentHelp(
      "Seconds of silence after which a rank counts as lost and the job ends (run.timeout_seconds).",
      valueName: "seconds"))
  var timeout: Double?

  @Option(help: "How progress is shown (run.progress).")
  var progress: RunConfiguration.ProgressDisplay?

  @Option(
    help: ArgumentHelp(
      "Write a trace of what each rank does when to this file, for https://ui.perfetto.dev, and log the speed.",
      valueName: "file"))
  var profile: String?

  @Option(
    help: ArgumentHelp(
      "Repeat this step of the run, as numbered in metrics.jsonl, on one process from the checkpoint before it, and print "
        + "what each microbatch did; train nothing.", valueName: "step"))
  var replay: Int?

  @Flag(help: "Check configuration, data, memory and disk, and estimate the time; train nothing.")
  var dryRun = false

  @Flag(
    help: ArgumentHelp(
      "Print what must be the same on all hosts, and the run's folder, a key and a value a line; train nothing."))
  var fingerprint = false

  @Flag(help: "With --dry-run or --replay: print what was found as JSON.")
  var json = false

  func validate() throws {
    guard replay == nil || !dryRun else { throw ValidationError("--replay does not go with --dry-run") }
    guard dryRun || replay != nil || !json else {
      throw ValidationError("--json goes with --dry-run or --replay; metrics.jsonl holds a run's numbers")
    }
  }

  func run() throws {
    let stopSignal = StopSignal()
    let shorthands = [
      keepLast.map { "checkpoint.keep_last=\($0)" }, keepEvery.map { "checkpoint.keep_every=\($0)" },
      ordersPer.map { "orders.per=\($0)" }, timeout.map { "run.timeout_seconds=\($0)" },
      progress.map { "run.progress=\($0.rawValue)" },
      skipBad ? "data.skip_bad=true" : nil,
    ].compactMap(\.self)
    var configuration = try RunConfiguration(contentsOf: config, overrides: overrides + shorthands)
    let folder = RunFolder(runDir ?? "runs/\(configuration.name)")
    if replay != nil {
      // The run's own configuration, unless told otherwise.
      configuration = try RunConfiguration(
        contentsOf: config ?? folder.configuration, overrides: overrides + shorthands)
      configuration.guards.policy = .skip
    }
    try configuration.requireFiles()
    if fingerprint { return try printFingerprint(configuration, folder) }
    try train(configuration, folder, stopSignal)
  }

  private func train(_ configuration: RunConfiguration, _ folder: RunFolder, _ stopSignal: StopSignal) throws {
    let isTraining = !dryRun && replay == nil

    Job.run(timeoutSeconds: configuration.run.timeoutSeconds, recordingFailuresIn: isTraining ? folder : nil) {
      communicator in
      if communicator.rank == 0 && isTraining { try FailureRecord.clear(folder) }
      let runLog = RunLog(rank: communicator.rank, size: communicator.size)
      let log = runLog.logger(level: configuration.run.logLevel.level)
      let experiment = try Experiment(configuration)
      if dryRun {
        let canRun = try DryRun(experiment, folder: folder, communicator: communicator, stopSignal: stopSignal)
          .run(resume: resumption, allowsChanges: allowChanges, json: json, log: log)
        guard canRun else { try Job.leave(communicator, status: ExitStatus.failure) }
        return
      }
      if let replay {
        guard communicator.size == 1 else { throw CommandError.replayOnSeveralRanks(communicator.size) }
        let run = try TrainingRun(
          experiment, folder: folder, communicator: communicator, stopSignal: stopSignal, log: log)
        try Self.show(run.replay(step: replay), json: json)
        return
      }
      if communicator.rank == 0 {
        try folder.create()
        try runLog.append(to: folder.log)
        let hosts = communicator.hosts
        communicator.setLog { notice in
          switch notice {
          case .straggler(let text): log.warning("\(text)")
          case .ending(let ending):
            Job.record(ending, in: folder, rank: 0, hosts: hosts)
            runLog.record("error \(ending.message)")
          }
        }
      }
      let run = try TrainingRun(
        experiment, folder: folder, communicator: communicator, stopSignal: stopSignal, log: log,
        profilePath: profile)
      switch try run.run(resume: resumption, allowsChanges: allowChanges) {
      case .finished:
        log.info("done: \(folder.path) holds checkpoints/, metrics.jsonl, config.yaml and log.txt")
      case .stopped(let step):
        log.info("stopped after step \(step); the checkpoint is complete. Go on with: \(resumeCommand(folder))")
        try Job.leave(communicator, status: ExitStatus.stopped)
      }
    }
  }

  private func printFingerprint(_ configuration: RunConfiguration, _ folder: RunFolder) throws {
    let experiment = try Experiment(configuration)
    print("run_folder \(URL(fileURLWithPath: folder.path).path)")
    print("configuration \(Checksum.of(Array(configuration.yaml.utf8)))")
    print("data \(try experiment.loadTrainingImages().contentHash)/\(experiment.test.contentHash)")
  }

  private static func show(_ replay: StepReplay, json: Bool) throws {
    guard !json else { return try JSONOutput.print(replay) }
    let number = { (value: Double) in String(format: "%.6g", value) }
    print(
      "step \(replay.step), epoch \(replay.epoch), repeated from step \(replay.firstStep): \(number(replay.nats)) nats, "
        + "\(number(replay.bitsPerDimension)) bpd, gradient norm \(number(replay.gradientNorm)), learning rate "
        + number(replay.learningRate))
    print(replay.fault.map { "not fit for an update: \($0)" } ?? "fit for an update")
    let heading = ["slot", "order", "nats", "bpd", "gradient", "steepest in", "worst image", "images"]
    let rows = replay.microbatches.map { report in
      [
        "\(report.slot)", report.order, number(report.nats), number(report.bitsPerDimension),
        number(report.gradientNorm),
        report.steepest, "\(report.worstImage) (\(number(report.worstNats)))",
        report.images.map(String.init).joined(separator: " "),
      ]
    }
    print(TextTable.text([heading] + rows, rightAligned: [0, 2, 3, 4]))
    for report in replay.microbatches {
      if let found = report.firstNotFinite { print("microbatch \(report.slot): first not finite: \(found.described)") }
    }
  }

  private var resumption: TrainingRun.Resume {
    switch resume {
    case "auto": return .automatic
    case "never": return .never
    default: return .from(resume)
    }
  }

  /// The command that goes on with this run: what was given, with `--resume auto`.
  private func resumeCommand(_ folder: RunFolder) -> String {
    var words = ["lmconv", "train", "--run-dir", folder.path]
    if let config { words += ["--config", config] }
    for override in overrides { words += ["--set", override] }
    if let keepLast { words += ["--keep-last", "\(keepLast)"] }
    if let keepEvery { words += ["--keep-every", "\(keepEvery)"] }
    if let ordersPer { words += ["--orders-per", ordersPer] }
    if let timeout { words += ["--timeout", "\(timeout)"] }
    if let progress { words += ["--progress", progress.rawValue] }
    if skipBad { words.append("--skip-bad") }
    if allowChanges { words.append("--allow-changes") }
    if let profile { words += ["--profile", profile] }
    return words.map(Shell.quoted).joined(separator: " ")
  }
}

extension RunConfiguration.ProgressDisplay: ExpressibleByArgument {}

/// Words for a shell.
enum Shell {
  /// `word` so that a shell reads it as one word.
  static func quoted(_ word: String) -> String {
    let isPlain = word.allSatisfy { $0.isLetter || $0.isNumber || "_-./=:,+@%".contains($0) } && !word.isEmpty
    return isPlain ? word : "'" + word.replacing("'", with: "'\\''") + "'"
  }
}

extension RunConfiguration.LogLevel {
  /// The logger's level of the same name.
  var level: Logger.Level { Logger.Level(rawValue: rawValue) ?? .info }
}
