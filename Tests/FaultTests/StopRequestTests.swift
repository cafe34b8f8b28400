import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

extension Faults {
  /// SIGTERM at any moment from when the program listens, which it does before it reads its configuration: the run ends
  /// with exit code 75 and a complete checkpoint. Before its first step it takes that step, so that a run which is
  /// stopped again and again gets on.
  @Suite struct StopRequestTests {
    private enum Moment: CaseIterable {
      case startUp, training, evaluation, checkpoint
    }

    private static let evaluationInterval = 40
    private static let trial: Trial = {
      var trial = Trial.binary(
        steps: 2400,
        ["checkpoint.every_steps=5", "evaluation.every_steps=\(evaluationInterval)", "evaluation.images=0"])
      trial.testImages = 60
      return trial
    }()

    @Test func aHundredRequestsLeaveAHundredCheckpoints() throws {
      let run = try DisturbedRun(Self.trial, expected: try FinishedRun(Self.trial))
      var generator = KeyedGenerator(seed: FaultSettings.seed, purpose: .sampling, step: 100)
      var last = 0
      var interruptedEvaluations = 0
      for round in 0..<100 {
        let moment = Moment.allCases[round % Moment.allCases.count]
        let ranks = [nil, 2, 3][round % 3]
        let job = try run.start(ranks: ranks)
        let asked = try listeningProcess(of: job, ranks: ranks, &generator)
        try wait(for: moment, in: job, of: run, after: last, &generator)
        kill(asked, SIGTERM)
        let before = job.seconds
        let ending = try job.waitForEnd(within: 60)
        let noticed = job.seconds - before
        #expect(ending == .exited(75), "seed \(FaultSettings.seed), round \(round), \(moment): \(job.errors)")
        #expect(job.session.members(leftAfter: 5).isEmpty)

        let selection = try CheckpointStore(runFolder: run.files.path).latestValid()
        let step = try #require(selection.checkpoint?.step, "round \(round): \(job.errors)")
        #expect(selection.skipped.isEmpty)
        #expect(step >= last, "round \(round): a checkpoint of step \(step) after one of \(last)")
        #expect(job.errors.contains("stopped after step \(step); the checkpoint is complete. Go on with: "))
        if job.errors.contains("evaluation stopped after ") { interruptedEvaluations += 1 }
        last = step
        FaultReport(
          fault: "SIGTERM \(round + 1) of 100 to \(ranks.map { "a rank of \($0)" } ?? "a run alone"), \(moment)",
          noticedSeconds: noticed, said: "\(ending), checkpoint of step \(step)"
        ).show()
      }
      let isEqual = try run.finish(ranks: 2)
      FaultReport(
        fault: "100 times SIGTERM, \(interruptedEvaluations) in an evaluation, seed \(FaultSettings.seed)",
        weightsAreEqual: isEqual
      ).show()
      #expect(isEqual, "seed \(FaultSettings.seed)")
      #expect(interruptedEvaluations >= 10, "seed \(FaultSettings.seed)")
    }

    /// One of the job's processes, as soon as it listens.
    private func listeningProcess(
      of job: RunningJob, ranks: Int?, _ generator: inout KeyedGenerator
    ) throws -> pid_t {
      let rank = generator.integer(below: ranks ?? 1)
      var asked: pid_t?
      try job.wait(for: "rank \(rank) to listen") {
        asked = ranks == nil ? job.session.id : job.session.ranks[rank]
        return asked.map { Session.handles(SIGTERM, process: $0) } ?? false
      }
      return try #require(asked)
    }

    private func wait(
      for moment: Moment, in job: RunningJob, of run: DisturbedRun, after last: Int, _ generator: inout KeyedGenerator
    ) throws {
      switch moment {
      case .startUp: usleep(UInt32(generator.integer(below: 80_000)))
      case .training:
        let target = last + 1 + generator.integer(below: 12)
        try job.wait(for: "step \(target)") { try run.files.lastStep() >= target }
        usleep(UInt32(generator.integer(below: 5000)))
      case .evaluation:
        try job.wait(for: "an evaluation") {
          let step = try run.files.lastStep()
          return step > last && step % Self.evaluationInterval == 0
        }
        usleep(UInt32(generator.integer(below: 20_000)))
      case .checkpoint: try job.wait(for: "a checkpoint being written") { try run.files.isWritingCheckpoint() }
      }
    }
  }
}
