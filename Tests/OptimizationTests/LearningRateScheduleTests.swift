import Foundation
import Testing

import Optimization

struct LearningRateScheduleTests {
  @Test func constantStaysAtThePeak() {
    let schedule = LearningRateSchedule(peak: 0.5)
    #expect(schedule.rate(step: 0, epoch: 0) == 0.5)
    #expect(schedule.rate(step: 1_000_000, epoch: 90) == 0.5)
  }

  @Test func decayCountsEpochsNotSteps() {
    let schedule = LearningRateSchedule(peak: 2e-4, shape: .epochDecay(factor: 0.999995))
    #expect(schedule.rate(step: 999, epoch: 0) == 2e-4)
    #expect(abs(schedule.rate(step: 1000, epoch: 2) - 2e-4 * 0.999995 * 0.999995) < 1e-18)
  }

  @Test func cosineFallsFromThePeakToItsFinalFraction() {
    let schedule = LearningRateSchedule(peak: 1, shape: .cosine(finalFraction: 0.1, totalSteps: 100))
    #expect(schedule.rate(step: 0, epoch: 0) == 1)
    #expect(abs(schedule.rate(step: 50, epoch: 0) - 0.55) < 1e-12)
    #expect(abs(schedule.rate(step: 25, epoch: 0) - (0.1 + 0.9 * (0.5 + 2.0.squareRoot() / 4))) < 1e-12)
    #expect(abs(schedule.rate(step: 100, epoch: 0) - 0.1) < 1e-12)
    #expect(schedule.rate(step: 1000, epoch: 0) == schedule.rate(step: 100, epoch: 0))
  }

  @Test func warmUpRisesLinearlyInFrontOfAnyShape() {
    for shape in [LearningRateSchedule.Shape.constant, .cosine(finalFraction: 0, totalSteps: 20)] {
      let schedule = LearningRateSchedule(peak: 2, shape: shape, warmUpSteps: 4)
      #expect((0..<4).map { schedule.rate(step: $0, epoch: 0) } == [0.5, 1, 1.5, 2])
      #expect(schedule.rate(step: 4, epoch: 0) == 2)
    }
  }

  @Test func aScheduleThatIsAllWarmUpEndsAtItsFinalFraction() {
    let schedule = LearningRateSchedule(peak: 1, shape: .cosine(finalFraction: 0.5, totalSteps: 4), warmUpSteps: 4)
    #expect(schedule.rate(step: 3, epoch: 0) == 1)
    #expect(schedule.rate(step: 5, epoch: 0) == 0.5)
  }
}
