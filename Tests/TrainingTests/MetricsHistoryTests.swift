import Foundation
import Testing
import Training

struct MetricsHistoryTests {
  private func step(_ step: Int, _ nats: String) -> String {
    """
    {"bits_per_dimension":1,"elapsed_seconds":1,"epoch":0,"gradient_norm":1,"images_per_second":1,"learning_rate":1,\
    "nats":\(nats),"ranks":1,"skipped_steps":0,"step":\(step)}

    """
  }

  private func start(_ step: Int) -> String { "{\"event\":\"resume\",\"ranks\":1,\"step\":\(step),\"threads\":1}\n" }

  private func history(_ text: String) -> MetricsHistory { MetricsHistory(Data(text.utf8)) }

  @Test func theLastRecordOfAStepCounts() {
    let found = history(step(1, "1") + step(2, "2") + step(3, "3") + start(1) + step(2, "20"))
    #expect(found.steps.map(\.step) == [1, 2] && found.steps.map(\.nats) == [1, 20])
    #expect(found.starts.map(\.step) == [1] && found.lastStep == 2)
  }

  @Test func stepsAfterAStartAreNotYetTakenAgain() {
    #expect(history(step(1, "1") + step(2, "2") + start(1)).steps.map(\.step) == [1])
  }

  @Test func aRunThatWentBackShowsEachStepOnce() {
    let found = history(step(5, "1") + step(6, "2") + step(7, "3") + step(6, "4"))
    #expect(found.steps.map(\.nats) == [1, 4])
  }

  @Test func numbersThatJSONDoesNotHaveComeBack() {
    let found = history(step(1, "\"nan\"") + step(2, "\"-inf\""))
    #expect(found.steps[0].nats.isNaN && found.steps[1].nats == -.infinity && found.damage.isEmpty)
  }

  @Test func damagedLinesAreLeftOutAndNumbered() {
    let found = history(step(1, "1") + "{\"nats\":3,\"st\n\n" + step(2, "true") + step(3, "3"))
    #expect(found.steps.map(\.step) == [1, 3])
    #expect(
      found.damage == [
        .init(line: 2, reason: "not JSON, perhaps cut off by a full disk or a crash"),
        .init(line: 4, reason: "'nats' is of the wrong type"),
      ])
  }
}
