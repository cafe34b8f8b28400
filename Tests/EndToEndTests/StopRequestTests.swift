import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Asked to stop, a run saves itself, says how to go on, and does.
  @Suite struct StopRequestTests {
    private static let trial = Trial.binary(steps: 150)
    private static let undisturbed = Result { try FinishedRun(trial) }

    /// A short training with evaluations of many images, at steps 2 and 4.
    private static let testImages = 400
    private static let evaluated: Trial = {
      var trial = Trial.binary(steps: 4, ["evaluation.every_steps=2", "evaluation.images=0"])
      trial.testImages = testImages
      return trial
    }()
    private static let undisturbedEvaluated = Result { try FinishedRun(evaluated) }

    /// The command that the last message gives.
    private static func resumeCommand(_ errors: String) throws -> String {
      let line = try #require(errors.split(separator: "\n").last { $0.contains("Go on with: ") }, "\(errors)")
      let command = try #require(line.firstRange(of: "Go on with: ").map { line[$0.upperBound...] })
      return String(command)
    }

    @Test(arguments: [(nil, SIGINT), (nil, SIGTERM), (2, SIGUSR1), (3, SIGUSR2)])
    func aStoppedTrainingGoesOnWithTheCommandItPrints(ranks: Int?, signal: Int32) throws {
      let expected = try Self.undisturbed.get()
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: ranks, Self.trial.arguments())
      let target = Int.random(in: 5...40)
      try job.wait(for: "step \(target)") { try run.lastStep() >= target }
      job.send(signal)
      #expect(try job.waitForEnd(within: 30) == .exited(75), "\(job.errors)")
      #expect(job.session.members(leftAfter: 5).isEmpty)

      let step = try #require(try run.checkpoints().last)
      #expect(step >= target && step < Self.trial.steps)
      #expect(job.errors.contains("stopped after step \(step); the checkpoint is complete. Go on with: lmconv train "))
      let resumed = try workplace.start(shell: try Self.resumeCommand(job.errors))
      #expect(try resumed.waitForEnd() == .exited(0), "\(resumed.errors)")
      #expect(resumed.errors.contains("going on from step \(step): "), "\(resumed.errors)")
      #expect(try run.starts() == [0, step])
      #expect(try run.weights(step: Self.trial.steps) == expected.weights)
      #expect(try run.results() == expected.results)
    }

    /// Before the first step a request is kept: none is lost while the program starts.
    @Test(arguments: [0, 1, 2, 3, 5, 7, 10, 15, 20, 30])
    func aRequestDuringStartUpStopsAfterAStep(milliseconds: Int) throws {
      let workplace = try Self.trial.workplace()
      // OpenBLAS starts threads before the program itself, which must not end the process.
      let command = "OPENBLAS_NUM_THREADS=4 exec lmconv " + Self.trial.arguments().joined(separator: " ")
      let job = try workplace.start(shell: command)
      try job.wait(for: "the program to listen") { Session.handles(SIGTERM, process: job.session.id) }
      usleep(UInt32(milliseconds * 1000))
      job.send(SIGTERM)
      #expect(try job.waitForEnd(within: 30) == .exited(75), "\(job.errors)")
      let step = try #require(try RunFiles(path: workplace.path + "/run").checkpoints().last)
      #expect(step < Self.trial.steps)
      #expect(job.errors.contains("stopped after step \(step); the checkpoint is complete. Go on with: "))
    }

    @Test(arguments: [(nil, 2, SIGTERM), (2, 2, SIGUSR1), (nil, 4, SIGINT), (3, 4, SIGUSR1)])
    func aStoppedEvaluationIsMadeUpFor(ranks: Int?, step: Int, signal: Int32) throws {
      let expected = try Self.undisturbedEvaluated.get()
      let workplace = try Self.evaluated.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: ranks, Self.evaluated.arguments())
      try job.wait(for: "step \(step)") { try run.lastStep() >= step }
      usleep(50_000)
      job.send(signal)
      #expect(try job.waitForEnd(within: 30) == .exited(75), "\(job.errors)")
      #expect(job.errors.contains(/evaluation stopped after \d+ of 400 images/), "\(job.errors)")
      #expect(job.errors.contains("stopped after step \(step); the checkpoint is complete. Go on with: "))
      #expect(try run.checkpoints().last == step)

      let resumed = try workplace.start(shell: try Self.resumeCommand(job.errors))
      #expect(try resumed.waitForEnd() == .exited(0), "\(resumed.errors)")
      #expect(try run.weights(step: 4) == expected.weights)
      #expect(expected.evaluations.map(\.key).sorted() == [2, 4])
      #expect(try run.evaluations() == expected.evaluations)
    }

    @Test(arguments: [["evaluate", "run"], ["score", "run", "--split", "test", "--typical-bpd", "1"]])
    func anEvaluationByItselfStopsWhenAsked(command: [String]) throws {
      let workplace = try Self.evaluated.workplace()
      try workplace.run(ranks: nil, Self.evaluated.arguments(["evaluation.images=2"]))
      let job = try workplace.start(ranks: 2, command + ["--threads", "1"])
      try job.wait(for: "two ranks") { job.session.ranks.count == 2 }
      // Signals that come before the program listens end it at once.
      usleep(500_000)
      job.send(SIGUSR1)
      #expect(try job.waitForEnd(within: 30) == .exited(75), "\(job.errors)")
      #expect(job.errors.contains(/evaluation stopped after \d+ of 400 images/), "\(job.errors)")
    }

    @Test(arguments: [(nil, SIGINT, 0.3), (nil, SIGTERM, 0.3), (2, SIGUSR1, 3.5)])
    func aSecondRequestEndsAtOnce(ranks: Int?, signal: Int32, after: Double) throws {
      // Steps that take longer: the first request alone would take as long.
      let trial = Trial.binary(steps: 10, ["model.filters=128", "model.blocks=4", "training.microbatch_size=10"])
      let workplace = try trial.workplace()
      let job = try workplace.start(ranks: ranks, trial.arguments())
      try job.wait(for: "training") { job.errors.contains("training: ") }
      // Before its first step the run would stop at once.
      usleep(500_000)
      job.send(signal)
      usleep(UInt32(after * 1e6))
      job.send(signal)
      let before = job.seconds
      #expect(try job.waitForEnd(within: 30) == .exited(130), "\(job.errors)")
      #expect(job.seconds - before < 5)
      #expect(job.session.members(leftAfter: 5).isEmpty)
    }

    /// Several signals at once are one request, as launchers deliver it; later, they are two.
    @Test func anotherSignalLaterEndsAtOnceToo() throws {
      let trial = Trial.binary(steps: 10, ["model.filters=128", "model.blocks=4", "training.microbatch_size=5"])
      let workplace = try trial.workplace()
      let job = try workplace.start(ranks: nil, trial.arguments())
      try job.wait(for: "training") { job.errors.contains("training: ") }
      job.send(SIGUSR1)
      job.send(SIGTERM)
      usleep(100_000)
      job.send(SIGUSR1)
      usleep(200_000)
      #expect(!job.session.members.isEmpty, "\(job.errors)")
      usleep(3_200_000)
      job.send(SIGTERM)
      #expect(try job.waitForEnd(within: 30) == .exited(130), "\(job.errors)")
    }
  }
}
