import ArgumentParser
import Checkpoints
import Collectives
import Configuration
import Datasets
import Foundation
import Imaging
import Logging
import Model
import Orders
import Training

/// The ranks of this job, from connecting to a common end: the only place that turns an error into a message, the end of
/// all ranks and an exit code.
enum Job {
  /// This process's rank as the launcher announces it, before anything is connected; 0 alone.
  static var announcedRank: Int {
    let environment = ProcessInfo.processInfo.environment
    let value = environment["OMPI_COMM_WORLD_RANK"] ?? environment["PMIX_RANK"] ?? environment["PMI_RANK"]
    return value.flatMap { Int($0) } ?? 0
  }

  /// Connects the ranks, runs `body` on each, and ends the process if `body` fails on this one.
  ///
  /// An error in `body` ends all ranks at once: the others would wait for this one in vain. A rank counts as lost after
  /// `timeoutSeconds` of silence. With `folder`, a run's, an error is recorded there for the launcher, unless starting again
  /// could not mend it.
  static func run(
    timeoutSeconds: Double = 60, recordingFailuresIn folder: RunFolder? = nil, _ body: (any Communicator) throws -> Void
  ) {
    let communicator: any Communicator
    do { communicator = try World.connect(timeoutSeconds: timeoutSeconds) } catch {
      report("\(error)", rank: announcedRank, of: 1)
      exit(ExitStatus.silentRank)
    }
    let (rank, hosts) = (communicator.rank, communicator.hosts)
    communicator.setLog { notice in
      switch notice {
      case .straggler(let text): report(text, rank: 0, of: 1, as: "warning")
      case .ending(let ending): if let folder { record(ending, in: folder, rank: rank, hosts: hosts) }
      }
    }
    if communicator.rank == 0, let reason = communicator.withoutHeartbeat {
      report(
        "ranks exchange no heartbeats, so that a slow one cannot be told from a lost one: \(reason)", rank: 0, of: 1,
        as: "warning")
    }
    do {
      try body(communicator)
      try communicator.finalize()
    } catch {
      report(describe(error), rank: communicator.rank, of: communicator.size)
      if let folder, exitStatus(error) != ExitStatus.usage { record(error, in: folder, communicator) }
      communicator.abort(exitCode: exitStatus(error))
    }
  }

  /// Ends the process after all ranks have left in good order.
  static func leave(_ communicator: any Communicator, status: Int32) throws -> Never {
    try communicator.finalize()
    exit(status)
  }

  /// Ends this process because of `error`, before any rank is connected.
  static func end(_ error: any Error, isShown: Bool) -> Never {
    if isShown { report(describe(error), rank: 0, of: 1) }
    exit(exitStatus(error))
  }

  /// The exit code that goes with `error`. What starting again cannot mend counts as bad usage: no launcher restarts it.
  static func exitStatus(_ error: any Error) -> Int32 {
    switch error {
    case is CollectiveError: return ExitStatus.silentRank
    case is ConfigurationError, is ValidationError, is PixelMaskError, is OrderFileError, is GenerationOrderError,
      is OrderSelectionError, is SizeSelectionError, CommandError.noModel, CommandError.noData,
      CommandError.imagesOutside, DatasetError.tooFewImages, DatasetError.noPictures, DatasetError.noShards,
      DatasetError.smallShards, DatasetError.emptySplit,
      is ExperimentError, is ArchitectureError,
      TrainingError.configurationChanged, TrainingError.wouldOverwrite, TrainingError.nothingToResume,
      TrainingError.noSuchStep, CommandError.replayOnSeveralRanks, CommandError.servesOnSeveralRanks:
      return ExitStatus.usage
    default: return ExitStatus.failure
    }
  }

  static func describe(_ error: any Error) -> String {
    // Foundation's errors describe themselves with their type and code; what they say to people is shorter.
    type(of: error) == NSError.self ? error.localizedDescription : "\(error)"
  }

  private static func record(_ error: any Error, in folder: RunFolder, _ communicator: any Communicator) {
    let failure = FailureRecord(
      error, message: describe(error), step: communicator.step, rank: communicator.rank,
      host: communicator.hosts[communicator.rank])
    // The disk may be what failed, and the error itself is told already.
    do { try failure.write(to: folder) } catch {
      report("\(error)", rank: communicator.rank, of: communicator.size)
    }
  }

  /// Records for the launcher why the watchdog of `rank` ends this process; `hosts` are the names of all ranks'.
  static func record(_ ending: WatchdogEnding, in folder: RunFolder, rank: Int, hosts: [String]) {
    guard let reason = ending.reason else { return }
    let failure = FailureRecord(
      reason: reason, message: ending.message, step: ending.step, rank: rank, host: hosts[rank])
    do { try failure.write(to: folder) } catch { report("\(error)", rank: rank, of: hosts.count) }
  }

  private static func report(_ message: String, rank: Int, of size: Int, as kind: String = "error") {
    let who = size > 1 ? "lmconv: rank \(rank): " : "lmconv: "
    FileHandle.standardError.write(Data((who + kind + ": " + message + "\n").utf8))
  }
}
