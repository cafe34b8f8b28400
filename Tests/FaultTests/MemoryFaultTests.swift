import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

extension Faults {
  /// Parameters in the memory of a rank change while it trains, as by a faulty memory module.
  @Suite struct MemoryFaultTests {
    private static let trial = Trial.binary(
      steps: 400, ["checkpoint.every_steps=20", "training.ema_decay=0", "evaluation.use_ema=false"])
    private static let undisturbed = Result {
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments())
      let run = RunFiles(path: workplace.path + "/run")
      return try (run.contents(step: trial.steps), run.results())
    }

    /// A parameter of `process`, which trains the run `run`: weights of the first layer, told by their neighbours that the
    /// mask hides from every pixel, so that they keep their initial values.
    private func parameter(of process: pid_t, _ run: RunFiles) throws -> (memory: ProcessMemory, address: Int) {
      let weight = try run.contents(step: try #require(try run.checkpoints().first)).parameters
        .floats("u_init.weight")  // [4, 2, 3, 3]
      let centre = 4
      let hidden = (0..<Panels.width).map { $0 < 4 ? weight[$0 * 18 + centre] : 0 }
      let memory = try ProcessMemory(of: process)
      let found = try memory.addresses(of: hidden.withUnsafeBytes { Data($0) })
      #expect(found.count == 1, "\(found)")
      let distance =
        Panels.index(tap: 3, input: 0, output: 1, taps: 9, inputs: 2)
        - Panels.index(tap: centre, input: 0, output: 0, taps: 9, inputs: 2)
      return (memory, try #require(found.first) + 4 * distance)
    }

    @Test(arguments: [nil, 2])
    func aRunThatGoesBackEndsAsIfNothingHadHappened(ranks: Int?) throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: ranks, Self.trial.arguments(["guard.policy=rollback"]))
      try job.wait(for: "step 50") { try run.lastStep() >= 50 }
      let process = try #require(ranks == nil ? job.session.id : job.session.ranks[1])
      let (memory, address) = try parameter(of: process, run)
      defer { memory.close() }
      // Between a step's last use of the parameters and their next gathering a fault heals by itself.
      let began = job.seconds
      try job.wait(for: "a step that is not fit") {
        if try run.metrics().contains(where: { $0.response == "rollback" }) { return true }
        memory.write(Float.nan.bitPattern, at: address)
        return false
      }
      let noticed = job.seconds - began
      #expect(try job.waitForEnd() == .exited(0), "\(job.errors)")
      #expect(job.errors.contains("first not finite: parameter of u_init.weight: nan"), "\(job.errors)")
      if ranks != nil {
        #expect(
          job.errors.firstMatch(
            of:
              #/rank 1 on \S+ holds other parameters than the 1 other rank, first of all 'u_init.weight'; with as many on either side, either may be wrong/#
          ) != nil, "\(job.errors)")
      }
      let expected = try Self.undisturbed.get()
      #expect(try run.metrics().allSatisfy { $0.response != "skip" })
      let contents = try run.contents(step: Self.trial.steps)
      let isEqual =
        contents.parameters.tensors == expected.0.parameters.tensors
        && contents.optimizer?.tensors == expected.0.optimizer?.tensors
      FaultReport(
        fault:
          "NaN in a weight in the memory of \(ranks == nil ? "a run alone" : "rank 1 of 2"), guard.policy=rollback; back "
          + "\(try run.metrics().count { $0.response == "rollback" }) times",
        noticedSeconds: noticed, said: Self.line(of: job, with: "first not finite: "), weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
      #expect(try run.results() == expected.1)
    }

    @Test func aRankWithOtherParametersEndsTheJobByName() throws {
      let workplace = try Self.trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 3, Self.trial.arguments(["guard.check_parameters_every=1"]))
      try job.wait(for: "step 50") { try run.lastStep() >= 50 }
      let (memory, address) = try parameter(of: try #require(job.session.ranks[1]), run)
      defer { memory.close() }
      let began = job.seconds
      // A bit that changes little: no loss shows it.
      while job.session.ranks[1] != nil, let value = memory.read(at: address) {
        memory.write(value ^ 1 << 10, at: address)
        usleep(2000)
      }
      #expect(try job.waitForEnd() == .exited(1), "\(job.errors)")
      let noticed = job.seconds - began
      #expect(
        job.errors.firstMatch(
          of:
            #/error: step \d+: rank 1 on \S+ holds other parameters than the 2 other ranks, first of all 'u_init.weight'; memory, processor or network of a host corrupts data: /#
        ) != nil, "\(job.errors)")
      try workplace.run(ranks: 2, Self.trial.arguments())
      let expected = try Self.undisturbed.get()
      let isEqual = try run.contents(step: Self.trial.steps).parameters.tensors == expected.0.parameters.tensors
      FaultReport(
        fault: "a bit of a weight flipped in the memory of rank 1 of 3, guard.check_parameters_every=1",
        noticedSeconds: noticed, said: Self.line(of: job, with: "holds other parameters"), weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
      #expect(try run.results() == expected.1)
    }

    private static func line(of job: RunningJob, with text: String) -> String {
      job.errors.split(separator: "\n").first { $0.contains(text) }.map(String.init) ?? ""
    }
  }
}

extension RunFiles {
  /// The verified checkpoint after `step`.
  func contents(step: Int) throws -> CheckpointContents {
    try CheckpointStore(runFolder: path).load(step: step).contents
  }
}
