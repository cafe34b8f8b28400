import Foundation
import Tensors
import TestSupport
import Testing

extension Faults {
  /// A rank that is killed ends the job; the run goes on from its last checkpoint on another number of ranks.
  @Suite struct KilledRankTests {
    private static let trial = Trial.binary(steps: 60, ["checkpoint.every_steps=1", "run.timeout_seconds=5"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    @Test(arguments: [0, 1], 0..<20)
    func aKilledRankLosesNothing(rank: Int, round: Int) throws {
      let run = try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
      var generator = KeyedGenerator(seed: FaultSettings.seed, purpose: .sampling, step: round, slot: rank)
      let target = 1 + generator.integer(below: Self.trial.steps - 10)
      let job = try run.start(ranks: 3)
      try job.wait(for: "step \(target)") { try run.files.lastStep() >= target }
      let process = try #require(job.session.ranks[rank])
      // Every other kill waits for a checkpoint being written, the others for any moment of the next steps.
      let isInCheckpoint = round % 2 == 1
      if isInCheckpoint {
        try job.wait(for: "a checkpoint being written") { try run.files.isWritingCheckpoint() }
      } else {
        usleep(UInt32(generator.integer(below: 30_000)))
      }
      kill(process, SIGKILL)
      let before = job.seconds
      let ending = try job.waitForEnd(within: 60)
      let noticed = job.seconds - before
      #expect([.exited(137), .exited(76)].contains(ending), "\(ending): \(job.errors)")
      #expect(noticed < 15)
      #expect(job.session.members(leftAfter: 5).isEmpty)
      let reached = try run.files.lastStep()
      let isEqual = try run.finish(ranks: [nil, 2, 4][round % 3])
      let starts = try run.files.starts()
      let moment = isInCheckpoint ? "while a checkpoint was written" : "at a random moment"
      FaultReport(
        fault:
          "kill -9 of rank \(rank) of 3 after step \(reached), \(moment), seed \(FaultSettings.seed); went on from \(starts[1])",
        noticedSeconds: noticed, said: FaultReport.lastLine(of: job.errors), weightsAreEqual: isEqual
      ).show()
      #expect(isEqual, "seed \(FaultSettings.seed)")
      #expect(starts.count == 2 && starts[1] >= reached - 2, "\(starts) after \(reached)")
    }
  }
}
