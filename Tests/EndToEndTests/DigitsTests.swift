import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What a user does with the digits that come with the program, a power cut included.
  @Suite struct DigitsTests {
    private struct Report: Decodable {
      struct Entry: Decodable { let nats: Double }
      let ensemble: Entry
    }

    @Test func digitsAreLearnedThroughAKillOnOtherRanks() throws {
      let workplace = try Workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let settings = [
        "model.filters=8", "training.steps=160", "training.microbatches=4", "training.microbatch_size=2",
        "run.log_every_steps=1", "run.threads=1", "checkpoint.every_steps=10", "evaluation.images=10",
      ]
      let train = ["train", "--run-dir", "run"] + settings.flatMap { ["--set", $0] }
      let job = try workplace.start(ranks: 2, train)
      let target = Int.random(in: 30...120)
      try job.wait(for: "step \(target)") { try run.lastStep() >= target }
      #expect(job.end())

      try workplace.run(ranks: 3, train)
      let starts = try run.starts()
      #expect(starts.count == 2 && starts[1] >= target - 20 && starts[1] % 10 == 0, "\(starts), killed at \(target)")
      #expect(try run.checkpoints().last == 160)

      let evaluate = ["evaluate", "run", "--variants", "0,4", "--threads", "1"]
      let printed = try workplace.run(ranks: 2, evaluate).output
      #expect(printed.contains("\n500 of 500 images\n"), "\(printed)")
      let json = try workplace.run(ranks: nil, evaluate + ["--json", "--images", "50"]).output
      let nats = try JSONDecoder().decode(Report.self, from: Data(json.utf8)).ensemble.nats
      print("digits: \(nats) nats after 160 small steps")
      // A model that knows nothing needs 784 ln 2 = 543 nats.
      #expect(nats > 50 && nats < 200, "\(nats)")
    }
  }
}
