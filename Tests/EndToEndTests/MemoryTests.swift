import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// The training loop keeps nothing from one step to the next.
  @Suite struct MemoryTests {
    @Test(arguments: [
      ["checkpoint.every_steps=0"],
      ["checkpoint.every_steps=5", "evaluation.every_steps=20", "evaluation.images=4"],
    ])
    func memoryDoesNotGrowOver200Steps(settings: [String]) throws {
      let workplace = try Workplace()
      let run = RunFiles(path: workplace.path + "/run")
      // One lost activation a step, 784 pixels of 8 channels for 2 images, would be 10 MB in the end.
      let fixed = [
        "model.filters=8", "training.steps=270", "training.microbatches=2", "training.microbatch_size=2",
        "run.log_every_steps=1", "run.threads=1", "checkpoint.every_seconds=0",
      ]
      let job = try workplace.start(
        ranks: 2, ["train", "--run-dir", "run"] + (fixed + settings).flatMap { ["--set", $0] })
      try job.wait(for: "step 60") { try run.lastStep() >= 60 }
      let ranks = job.session.ranks
      #expect(ranks.count == 2)
      let before = try ranks.mapValues { try #require(Session.residentKilobytes(of: $0)) }
      try job.wait(for: "step 260") { try run.lastStep() >= 260 }
      let after = try ranks.mapValues { try #require(Session.residentKilobytes(of: $0)) }
      let growth = try ranks.keys.sorted().map { rank in
        let (from, to) = (try #require(before[rank]), try #require(after[rank]))
        #expect(to - from < 2000, "rank \(rank): \(from) kB at step 60, \(to) kB at step 260")
        return "rank \(rank): \(from) to \(to)"
      }
      print("resident kB from step 60 to 260: \(growth.joined(separator: ", ")); \(settings.joined(separator: ", "))")
    }
  }
}
