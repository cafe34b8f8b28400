import Foundation
import TestSupport
import Training
import Testing

extension EndToEnd {
  /// A rank that dies or falls silent ends the job in bounded time, and the run goes on from its last checkpoint.
  @Suite struct LostRankTests {
    private static let trial = Trial.binary(
      steps: 200, ["checkpoint.every_steps=5", "run.timeout_seconds=5"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    @Test(arguments: [0, 2])
    func aRankThatDiesEndsTheJobAndNothingIsLost(rank: Int) throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 3, Self.trial.arguments())
      try job.wait(for: "step 23") { try run.lastStep() >= 23 }
      let process = try #require(job.session.ranks[rank])
      kill(process, SIGKILL)
      let before = job.seconds
      let ending = try job.waitForEnd(within: 60)
      // mpirun's code for a rank that a signal ended, unless another rank missed it first.
      #expect([.exited(137), .exited(76)].contains(ending), "\(ending): \(job.errors)")
      #expect(job.seconds - before < 15)
      #expect(job.session.members(leftAfter: 5).isEmpty)
      try expectThatItGoesOn(workplace, run, ranks: 2, atLeastFrom: 15)
    }

    @Test(arguments: [0, 1])
    func aRankThatFallsSilentIsNamed(rank: Int) throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 3, Self.trial.arguments())
      try job.wait(for: "step 23") { try run.lastStep() >= 23 }
      let process = try #require(job.session.ranks[rank])
      kill(process, SIGSTOP)
      let before = job.seconds
      #expect(try job.waitForEnd(within: 60) == .exited(76), "\(job.errors)")
      #expect(job.seconds - before > 4 && job.seconds - before < 15)
      // Its last heartbeat may be from before its first step: steps take a moment here.
      let message =
        #/lmconv: rank (\d): error: .+ in step \d+, .+: rank (\d) \(\S+, pid \d+\) silent for [4567] s, last seen in /#
      let named = job.errors.matches(of: message)
      #expect(Set(named.map { "\($0.output.2)" }) == ["\(rank)"], "\(job.errors)")
      // Every rank that is left says so.
      #expect(
        Set(named.map { "\($0.output.1)" }) == Set((0..<3).filter { $0 != rank }.map(String.init)), "\(job.errors)")
      // For the launcher, the first of them recorded it.
      let failure = try JSONDecoder().decode(FailureRecord.self, from: workplace.contents("run/failure.json"))
      #expect(failure.reason == "Watchdog.lostRank" && failure.rank != rank, "\(failure)")
      #expect(failure.step.map { failure.message.contains(" in step \($0), ") } == true, "\(failure)")
      #expect(job.errors.contains("lmconv: rank \(failure.rank): error: \(failure.message)\n"), "\(failure)")
      #expect(job.session.members(leftAfter: 5).isEmpty)
      try expectThatItGoesOn(workplace, run, ranks: nil, atLeastFrom: 15)
    }

    @Test func ranksEndWithTheirLauncher() throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 3, Self.trial.arguments())
      try job.wait(for: "step 3") { try run.lastStep() >= 3 }
      job.send(SIGKILL)
      #expect(try job.waitForEnd() == .killed(signal: SIGKILL))
      #expect(job.session.members(leftAfter: 10).isEmpty)
    }

    /// A rank that is slower than the timeout, because another process has its core, is waited for.
    @Test func aSlowRankIsReportedAndWaitedFor() throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 3, Self.trial.arguments(["run.timeout_seconds=2"]))
      try job.wait(for: "step 3") { try run.lastStep() >= 3 }
      let process = try #require(job.session.ranks[2])
      // It runs for a tenth of the time.
      let straggler = "straggler: rank 2 ("
      try job.wait(for: "a notice") {
        kill(process, SIGSTOP)
        usleep(900_000)
        kill(process, SIGCONT)
        usleep(100_000)
        return job.errors.contains(straggler)
      }
      #expect(try job.waitForEnd() == .exited(0), "\(job.errors)")
      let log = try String(decoding: workplace.contents("run/log.txt"), as: UTF8.self)
      #expect(
        log.contains(
          #/ warning straggler: rank 2 \(\S+, pid \d+\) (is slow but alive, now in|is alive but its link is slow: )/#),
        "\(log)")
      // The headers differ: they hold the configuration with its timeout.
      #expect(try run.weights(step: Self.trial.steps).tensors == Self.undisturbed.get().weights.tensors)
    }

    private func expectThatItGoesOn(
      _ workplace: Workplace, _ run: RunFiles, ranks: Int?, atLeastFrom step: Int
    ) throws {
      let expected = try Self.undisturbed.get()
      try workplace.run(ranks: ranks, Self.trial.arguments())
      let starts = try run.starts()
      #expect(starts.count == 2 && starts[0] == 0 && starts[1] >= step, "\(starts)")
      #expect(try run.weights(step: Self.trial.steps) == expected.weights)
      #expect(try run.results() == expected.results)
    }
  }
}
