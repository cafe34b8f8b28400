import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// What a user sees of a run, in a log file.
  @Suite struct ProgressTests {
    private func lines(_ text: String) -> [Substring] {
      text.split(separator: "\n").filter { $0.contains(#/step \d+/\d+\s/#) }
    }

    @Test func aLogHasALineForEveryTenthStep() throws {
      let trial = Trial.binary(steps: 25, ["run.log_every_steps=10"])
      let workplace = try trial.workplace()
      let printed = try workplace.run(ranks: 2, trial.arguments())
      let shown = lines(printed.errors)
      #expect(shown.count == 3, "\(printed.errors)")
      for (line, step) in zip(shown, [10, 20, 25]) {
        // An epoch has 6 steps.
        #expect(line.hasPrefix("step \(step)/25  epoch \((step - 1) / 6)  "), "\(line)")
        #expect(line.contains(#/\s\s[\d.]+ nats  \d\.\d{4} bpd  [\d.]+ img/s  \d+:\d\d left$/#), "\(line)")
      }
      #expect(!printed.errors.contains("\r") && printed.output.isEmpty)
      let log = String(decoding: try workplace.contents("run/log.txt"), as: UTF8.self)
      #expect(lines(log).map { $0.split(separator: " ", maxSplits: 2).last } == shown)
      #expect(try RunFiles(path: workplace.path + "/run").results().keys.sorted() == [10, 20, 25])

      let quiet = try workplace.run(ranks: nil, trial.arguments(run: "quiet", ["run.progress=off"])).errors
      #expect(lines(quiet).isEmpty, "\(quiet)")
    }

    @Test func anEvaluationIsNoPartOfAStep() throws {
      // It takes many times as long as a step.
      var trial = Trial.binary(steps: 6, ["evaluation.every_steps=5", "evaluation.images=0"])
      trial.testImages = 400
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments())
      let metrics = try RunFiles(path: workplace.path + "/run").metrics()
      let rates = try [5, 6].map { step in try #require(metrics.first { $0.step == step }?.imagesPerSecond) }
      #expect(rates[1] > rates[0] / 3, "images per second before and after: \(rates)")
    }
  }
}
