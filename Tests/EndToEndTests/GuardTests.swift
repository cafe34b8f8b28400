import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Steps that are not fit for an update, on any number of ranks.
  @Suite struct GuardTests {
    private static let steps = 12
    private static let trial = Trial.binary(
      steps: steps, ["seed=4", "checkpoint.every_steps=1", "checkpoint.keep_last=100", "training.clip_norm=1"])

    /// The gradients of this seed keep the limit but for that of step 4.
    private static let limit = 500.0

    private static func guarded(_ policy: String) -> [String] {
      ["guard.policy=\(policy)", "guard.max_gradient_norm=\(limit)"]
    }

    @Test func aStepIsPassedOverAlikeOnAnyNumberOfRanks() throws {
      let workplace = try Self.trial.workplace()
      let settings = Self.guarded("skip")
      try workplace.run(ranks: nil, Self.trial.arguments(run: "alone", settings))
      let alone = RunFiles(path: workplace.path + "/alone")
      let skipped = try alone.metrics().filter { $0.response == "skip" }.map(\.step)
      #expect(!skipped.isEmpty && skipped.count < Self.steps)
      #expect(try alone.metrics().compactMap(\.skippedSteps).max() == skipped.count)
      for step in 2...Self.steps {
        let isSame = try alone.weights(step: step).tensors == alone.weights(step: step - 1).tensors
        #expect(isSame == skipped.contains(step), "step \(step)")
      }
      // Two ranks, stopped by nothing, and three that go on in the middle of it.
      for ranks in [2, 3] {
        let run = RunFiles(path: workplace.path + "/\(ranks)")
        if ranks == 3 {
          let first = try workplace.start(ranks: 2, Self.trial.arguments(run: "3", settings))
          try first.wait(for: "a skip") { try run.lastStep() >= skipped[0] }
          #expect(first.end())
        }
        try workplace.run(ranks: ranks, Self.trial.arguments(run: "\(ranks)", settings))
        #expect(try run.weights(step: Self.steps) == alone.weights(step: Self.steps), "\(ranks) ranks")
        #expect(try run.results() == alone.results(), "\(ranks) ranks")
      }
    }

    @Test(arguments: [nil, 2])
    func goingBackPassesOverTheSameSteps(ranks: Int?) throws {
      let workplace = try Self.trial.workplace()
      try workplace.run(ranks: nil, Self.trial.arguments(run: "skip", Self.guarded("skip")))
      // The last checkpoint is several steps away.
      let settings = Self.guarded("rollback") + ["checkpoint.every_steps=5"]
      let job = try workplace.run(ranks: ranks, Self.trial.arguments(run: "back", settings))
      let (skip, back) = (RunFiles(path: workplace.path + "/skip"), RunFiles(path: workplace.path + "/back"))
      let skipped = try skip.metrics().filter { $0.response == "skip" }.map(\.step)
      #expect(try Set(back.metrics().filter { $0.response == "rollback" }.map(\.step)) == Set(skipped))
      #expect(try Set(back.metrics().filter { $0.response == "skip" }.map(\.step)) == Set(skipped))
      #expect(job.errors.contains("warning: went back to step "), "\(job.errors)")
      #expect(try back.weights(step: Self.steps).tensors == skip.weights(step: Self.steps).tensors)
      #expect(try back.results() == skip.results())
    }

    @Test func aRunThatDoesNotRecoverEnds() throws {
      let workplace = try Self.trial.workplace()
      let job = try workplace.run(
        ranks: 2,
        Self.trial.arguments([
          "guard.policy=rollback", "guard.max_gradient_norm=1e-9", "guard.max_skips=2", "checkpoint.every_steps=0",
        ]), ending: .exited(1))
      #expect(job.errors.contains("error: step 3: the norm of the gradient is "), "\(job.errors)")
      #expect(job.errors.contains(", guard.max_gradient_norm is 1e-09; the parameters were not updated\n"))
      #expect(job.errors.contains("\nthe 2 steps before were passed over already\n"))
      let responses = try RunFiles(path: workplace.path + "/run").metrics().compactMap { line in
        line.response.map { "\(line.step) \($0)" }
      }
      #expect(
        responses == [
          "1 rollback", "1 skip", "2 rollback", "1 skip", "2 skip", "3 rollback", "1 skip", "2 skip", "3 stop",
        ])
    }

    @Test(arguments: [nil, 2])
    func aLossThatIsNotFiniteEndsTheRunNamingItsCause(ranks: Int?) throws {
      let workplace = try Self.trial.workplace()
      let settings = ["training.learning_rate=1e25", "training.schedule=constant"]
      let job = try workplace.run(ranks: ranks, Self.trial.arguments(settings), ending: .exited(1))
      #expect(job.errors.contains("error: step 2: the loss of microbatch 0 is "), "\(job.errors)")
      let cause =
        #/\n  microbatch 0, order s_curve/\d, 12x12, images \d+ \d+: .+; first not finite: output of [a-z_0-9.]+ at image \d+, row \d+, column \d+, channel \d+: .+\n/#
      #expect(job.errors.firstMatch(of: cause) != nil, "\(job.errors)")
      #expect(job.errors.contains("\nlmconv train --replay 2 repeats it; lower training.learning_rate or "))
      // What was finite is kept.
      let run = RunFiles(path: workplace.path + "/run")
      #expect(try run.checkpoints() == [1])

      let replay = try workplace.run(ranks: nil, ["train", "--run-dir", "run", "--replay", "2"])
      #expect(replay.output.contains("\nnot fit for an update: the loss of microbatch 0 is "), "\(replay.output)")
      #expect(replay.output.contains("\nmicrobatch 0: first not finite: output of "))
      #expect(try run.checkpoints() == [1])
    }

    private struct Replay: Decodable {
      struct Microbatch: Decodable {
        let slot: Int
        let nats: Double
        let images: [Int]
      }
      let step: Int
      let firstStep: Int
      let nats: Double
      let gradientNorm: Double
      let fault: String?
      let microbatches: [Microbatch]
    }

    @Test func aStepOfARunIsRepeatedWithTheSameBits() throws {
      let workplace = try Self.trial.workplace()
      // Among the steps that are repeated are some that were passed over.
      let settings = Self.guarded("skip") + ["checkpoint.every_steps=4"]
      try workplace.run(ranks: 3, Self.trial.arguments(settings))
      let results = try RunFiles(path: workplace.path + "/run").results()
      for step in [1, 4, 5, 8, 11] {
        let job = try workplace.run(ranks: nil, ["train", "--run-dir", "run", "--replay", "\(step)", "--json"])
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        let replay = try decoder.decode(Replay.self, from: Data(job.output.utf8))
        let result = try #require(results[step])
        #expect(replay.firstStep == (step - 1) / 4 * 4 && replay.step == step)
        #expect(replay.nats == result.nats && replay.gradientNorm == result.gradientNorm, "step \(step)")
        #expect((replay.fault != nil) == (Self.limit < replay.gradientNorm))
        #expect(replay.microbatches.map(\.slot) == Array(0..<5))
        #expect(Set(replay.microbatches.flatMap(\.images)).count == 10)
        let mean = replay.microbatches.reduce(0) { $0 + $1.nats } / 5
        #expect(abs(mean - replay.nats) < 1e-9)
      }
      let absent = try workplace.run(
        ranks: nil, ["train", "--run-dir", "run", "--replay", "13"], ending: .exited(64))
      #expect(
        absent.errors == "lmconv: error: there is no step 13: this run has steps 1 to 12, as in its metrics.jsonl\n")
      let several = try workplace.run(
        ranks: 2, ["train", "--run-dir", "run", "--replay", "3"], ending: .exited(64))
      #expect(
        several.errors.contains(
          "error: --replay works on one process, this job has 2; start without mpirun: the step has the same bits\n"))
    }

    @Test func parametersThatAreNotFiniteAreNeverWritten() throws {
      let workplace = try Self.trial.workplace()
      let few = ["checkpoint.keep_last=1", "training.schedule=constant"]
      try workplace.run(ranks: nil, Self.trial.arguments(few + ["training.steps=2"]))
      let run = RunFiles(path: workplace.path + "/run")
      let before = try run.weights(step: 2)
      let job = try workplace.run(
        ranks: 2, Self.trial.arguments(few + ["training.learning_rate=1e39"]) + ["--allow-changes"],
        ending: .exited(1))
      // Whichever is noticed first: what cannot be written, or what it leads to.
      #expect(
        job.errors.contains("checkpoint run/checkpoints/step-00000003: not written: ")
          || job.errors.contains("error: step 4: the loss of microbatch 0 is "), "\(job.errors)")
      #expect(try run.checkpoints() == [2])
      #expect(try run.weights(step: 2) == before)
    }
  }
}
