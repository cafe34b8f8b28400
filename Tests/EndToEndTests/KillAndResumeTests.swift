import Foundation
import Tensors
import TestSupport
import Testing

extension EndToEnd {
  /// A run that is killed again and again ends with the bits of one that never was.
  @Suite struct KillAndResumeTests {
    private static let trial = Trial.binary(steps: 120, ["checkpoint.every_steps=4"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    /// `LMCONV_LONG_TESTS=1` kills more often.
    private static let rounds = ProcessInfo.processInfo.environment["LMCONV_LONG_TESTS"] == nil ? 2 : 12

    @Test(arguments: 0..<rounds)
    func aKilledRunGoesOnWithTheSameBitsOnOtherRanks(round: Int) throws {
      let expected = try Self.undisturbed.get()
      let seed = UInt64.random(in: 0..<(1 << 32))
      print("round \(round): killing at moments of seed \(seed)")
      var generator = KeyedGenerator(seed: seed, purpose: .sampling)
      let teams: [Int?] = [2, nil, 3, 1, 4].map { $0 }
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")

      // An epoch has 6 steps, so that nearly every kill is in the middle of one.
      var reached = 0
      for kill in 0..<3 {
        let ranks = teams[(round + kill) % teams.count]
        let target = reached + 1 + generator.integer(below: 30)
        let job = try workplace.start(ranks: ranks, Self.trial.arguments(["checkpoint.keep_last=2"]))
        try job.wait(for: "step \(target), seed \(seed)") { try run.lastStep() >= target }
        usleep(UInt32(generator.integer(below: 20_000)))
        #expect(job.end(), "seed \(seed)")
        #expect(try job.waitForEnd() == .killed(signal: SIGKILL), "seed \(seed): the run ended before the kill")
        reached = try run.lastStep()
        #expect(try run.starts().count == kill + 1)
      }
      let last = try workplace.run(ranks: teams[(round + 3) % teams.count], Self.trial.arguments())

      let starts = try run.starts()
      #expect(starts.count == 4 && starts[0] == 0 && starts[1...].allSatisfy { $0 % 4 == 0 }, "\(starts)")
      // When a step is recorded, the checkpoint before the last one due is complete.
      #expect(starts[3] >= ((reached - 1) / 4 - 1) * 4, "seed \(seed): went on from \(starts) after step \(reached)")
      #expect(last.errors.contains("going on from step \(starts[3]): "), "\(last.errors)")
      #expect(try run.weights(step: Self.trial.steps) == expected.weights, "seed \(seed): went on from \(starts)")
      #expect(try run.results() == expected.results, "seed \(seed): went on from \(starts)")
      #expect(try run.evaluations() == expected.evaluations, "seed \(seed)")
    }
  }
}
