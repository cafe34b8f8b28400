import Foundation
import Tensors
import TestSupport
import Testing

extension Faults {
  /// A rank that is killed or stopped ends the job; the run goes on from its last checkpoint on another number of ranks.
  @Suite struct KilledRankTests {
    private static let trial = Trial.binary(steps: 60, ["checkpoint.every_steps=1", "run.timeout_seconds=5"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    @Test(arguments: [0, 1])
    func killsAtTwentyMomentsLoseNothing(rank: Int) throws {
      let expected = try Self.undisturbed.get()
      var halfWritten = 0
      for round in 0..<20 {
        var generator = KeyedGenerator(seed: FaultSettings.seed, purpose: .sampling, step: round, slot: rank)
        let run = try DisturbedRun(Self.trial, expected: expected)
        let target = 1 + generator.integer(below: Self.trial.steps - 10)
        let job = try run.start(ranks: 3)
        try job.wait(for: "step \(target)") { try run.files.lastStep() >= target }
        let process = try #require(job.session.ranks[rank])
        // Every other kill waits for a checkpoint being written, the others come at any moment of the next steps.
        if round % 2 == 1 {
          try job.wait(for: "a checkpoint being written") { try run.files.isWritingCheckpoint() }
        } else {
          usleep(UInt32(generator.integer(below: 30_000)))
        }
        kill(process, SIGKILL)
        let before = job.seconds
        let ending = try job.waitForEnd(within: 60)
        let noticed = job.seconds - before
        // mpirun's code for a rank that a signal ended, unless another rank missed it first.
        #expect([.exited(137), .exited(76)].contains(ending), "\(ending): \(job.errors)")
        #expect(noticed < 15)
        #expect(job.session.members(leftAfter: 5).isEmpty)
        let reached = try run.files.lastStep()
        let isHalfWritten = try run.files.isWritingCheckpoint()
        if isHalfWritten { halfWritten += 1 }

        let isEqual = try run.finish(ranks: [nil, 2, 4][round % 3])
        let starts = try run.files.starts()
        FaultReport(
          fault: """
            kill -9 of rank \(rank) of 3 after step \(reached)\(isHalfWritten ? ", a checkpoint half written" : ""), \
            seed \(FaultSettings.seed), went on from \(starts.last ?? 0)
            """, noticedSeconds: noticed, said: FaultReport.lastLine(of: job.errors), weightsAreEqual: isEqual
        ).show()
        #expect(isEqual, "seed \(FaultSettings.seed), round \(round)")
        #expect(starts.count == 2 && starts[1] >= reached - 2, "\(starts) after \(reached)")
        #expect(try !run.files.isWritingCheckpoint(), "seed \(FaultSettings.seed), round \(round): remains are left")
      }
      // When another rank is killed, rank 0 mostly has the time to finish what it writes.
      if rank == 0 { #expect(halfWritten > 0, "seed \(FaultSettings.seed): no kill hit a checkpoint") }
    }

    @Test(arguments: [0, 1])
    func aStoppedRankEndsTheJobByNameAndNothingIsLost(rank: Int) throws {
      let run = try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
      let job = try run.start(ranks: 3)
      try job.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      let process = try #require(job.session.ranks[rank])
      kill(process, SIGSTOP)
      let before = job.seconds
      #expect(try job.waitForEnd(within: 60) == .exited(76), "\(job.errors)")
      let noticed = job.seconds - before
      #expect(noticed < 20)
      #expect(job.session.members(leftAfter: 5).isEmpty)
      let message = ": rank \(rank) ("
      let said = job.errors.split(separator: "\n").first { $0.contains(message) && $0.contains(" silent for ") }
      #expect(said != nil, "\(job.errors)")
      let reached = try run.files.lastStep()
      let isEqual = try run.finish(ranks: 2)
      let starts = try run.files.starts()
      FaultReport(
        fault: "SIGSTOP of rank \(rank) of 3 in step \(reached + 1), timeout 5 s, went on from \(starts.last ?? 0)",
        noticedSeconds: noticed, said: said.map(String.init), weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
      #expect(starts.count == 2 && starts[1] >= reached - 2, "\(starts) after \(reached)")
    }
  }
}
