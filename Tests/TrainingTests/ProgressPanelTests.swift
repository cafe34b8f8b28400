import Foundation
import Testing
import Training

struct ProgressPanelTests {
  private static func panel(step: Int) throws -> ProgressPanel {
    var panel = ProgressPanel(name: "digits", totalSteps: 1000, stepsPerEpoch: 312, evaluationInterval: 250)
    panel.record = try JSONDecoder().decode(
      StepRecord.self,
      from: Data(
        """
        {"bits_per_dimension":0.18071,"elapsed_seconds":61,"epoch":1,"gradient_norm":12.345,"images_per_second":41.26,\
        "learning_rate":0.0019,"nats":98.2,"ranks":2,"skipped_steps":0,"step":\(step)}
        """.utf8))
    panel.secondsLeft = 125
    return panel
  }

  @Test func barsShowStepsAndEpochAndWhatComesNext() throws {
    var panel = try Self.panel(step: 390)
    panel.loads = [RankLoad(waitShare: 0.25, residentBytes: 4e8), RankLoad(waitShare: 0, residentBytes: 5e8)]
    #expect(
      panel.lines(width: 80) == [
        "digits: step 390 of 1000, 1:01 trained, 2:05 left",
        "steps       [###############.........................] 390/1000",
        "epoch 1     [##########..............................] 78/312 steps",
        "evaluation  next at step 500",
        "loss        98.20 nats  0.1807 bpd  gradient 12.35  rate 0.001900",
        "speed       41.3 img/s",
        "memory      rank 0 400 MB, most rank 1 500 MB",
        "wait rank 0 [##########..............................] 25 % of the step",
        "     rank 1 [........................................] 0 % of the step",
      ])
  }

  @Test func anEvaluationHasABar() throws {
    var panel = try Self.panel(step: 500)
    panel.evaluation = (30, 120)
    #expect(
      panel.lines(width: 80)[3] == "evaluation  [##########..............................] 30/120 images")
    panel.evaluation = nil
    #expect(panel.lines(width: 80)[3] == "evaluation  next at step 750")
    #expect(try Self.panel(step: 1000).lines(width: 80)[3] == "evaluation  done")
  }

  @Test func theLastStepOfAnEpochFillsItsBar() throws {
    #expect(
      try Self.panel(step: 624).lines(width: 80)[2].hasSuffix(
        "[" + String(repeating: "#", count: 40) + "] 312/312 steps"))
  }

  @Test func ofManyRanksThoseThatWaitMostAndLeastAreShown() throws {
    var panel = try Self.panel(step: 1)
    panel.loads = (0..<64).map { RankLoad(waitShare: $0 == 17 ? 0 : 0.1 + Double($0) / 100, residentBytes: 1e6) }
    let ranks = panel.lines(width: 80).compactMap { $0.firstMatch(of: #/rank (\d+) +\[/#).flatMap { Int($0.1) } }
    #expect(ranks == [63, 62, 61, 60, 59, 17])
    #expect(panel.lines(width: 80).last == "            and 58 ranks between")
  }

  @Test(arguments: [1, 20, 40, 79, 200]) func noLineIsWiderThanTheTerminal(width: Int) throws {
    var panel = try Self.panel(step: 390)
    panel.loads = [RankLoad(waitShare: 3, residentBytes: 4e8), RankLoad(waitShare: -1, residentBytes: 5e8)]
    #expect(panel.lines(width: width).allSatisfy { $0.count < max(width, 2) })
  }

  @Test func beforeTheFirstStepNothingIsKnown() {
    let panel = ProgressPanel(name: "new", totalSteps: 10, stepsPerEpoch: 4, evaluationInterval: 0)
    #expect(
      panel.lines(width: 80) == [
        "new: step 0 of 10, 0:00 trained, 0:00 left", "steps       [........................................] 0/10",
        "epoch 0     [........................................] 0/4 steps", "evaluation  next at step 10",
      ])
  }
}
