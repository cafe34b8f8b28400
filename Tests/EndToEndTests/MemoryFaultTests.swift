import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

extension EndToEnd {
  /// Parameters in the memory of a rank change while it trains, as by a faulty memory module.
  @Suite(.enabled(if: ProcessInfo.processInfo.environment["LMCONV_FAULTS"] == "1")) struct MemoryFaultTests {
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
      var attempts = 0
      try job.wait(for: "a step that is not fit") {
        attempts += 1
        memory.write(Float.nan.bitPattern, at: address)
        return try run.metrics().contains { $0.response == "rollback" }
      }
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
      print("NaN written \(attempts) times; back \(try run.metrics().count { $0.response == "rollback" }) times")
      #expect(try run.metrics().allSatisfy { $0.response != "skip" })
      let contents = try run.contents(step: Self.trial.steps)
      #expect(contents.parameters.tensors == expected.0.parameters.tensors)
      #expect(contents.optimizer?.tensors == expected.0.optimizer?.tensors)
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
      print("a flipped bit was noticed after \(job.seconds - began) s")
      #expect(
        job.errors.firstMatch(
          of:
            #/error: step \d+: rank 1 on \S+ holds other parameters than the 2 other ranks, first of all 'u_init.weight'; memory, processor or network of a host corrupts data: /#
        ) != nil, "\(job.errors)")
      try workplace.run(ranks: 2, Self.trial.arguments())
      let expected = try Self.undisturbed.get()
      #expect(try run.contents(step: Self.trial.steps).parameters.tensors == expected.0.parameters.tensors)
      #expect(try run.results() == expected.1)
    }
  }
}

extension RunFiles {
  /// The verified checkpoint after `step`.
  func contents(step: Int) throws -> CheckpointContents {
    try CheckpointStore(runFolder: path).load(step: step).contents
  }
}
