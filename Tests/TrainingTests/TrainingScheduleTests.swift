import Configuration
import Foundation
import Testing
import Training

struct TrainingScheduleTests {
  private func schedule(
    stepsPerEpoch: Int = 10, _ change: (inout RunConfiguration.TrainingOptions) -> Void
  ) -> TrainingSchedule {
    var options = RunConfiguration().training
    options.microbatches = 4
    options.microbatchSize = 5
    change(&options)
    return TrainingSchedule(options, stepsPerEpoch: stepsPerEpoch)
  }

  @Test func theLengthComesFromStepsOrElseFromEpochs() {
    #expect(schedule { $0.steps = 77 }.totalSteps == 77)
    let byEpochs = schedule(stepsPerEpoch: 12) {
      $0.steps = 0
      $0.epochs = 3
    }
    #expect(byEpochs.totalSteps == 36)
    #expect(byEpochs.stepsPerEpoch == 12)
  }

  /// Of 8 dimensions: 1 / (8 ln 2).
  private static let bitsPerNat = 1 / (8 * 0.6931471805599453)
  private static let scales: [(RunConfiguration.LossUnit, RunConfiguration.LossReduction, Double)] = [
    (.nats, .sum, 1), (.nats, .mean, 0.05), (.bpd, .sum, bitsPerNat), (.bpd, .mean, bitsPerNat * 0.05),
  ]

  @Test(arguments: scales)
  func theLossIsScaledToItsUnitAndReduction(
    unit: RunConfiguration.LossUnit, reduction: RunConfiguration.LossReduction, expected: Double
  ) {
    let schedule = schedule {
      $0.lossUnit = unit
      $0.lossReduction = reduction
    }
    #expect(abs(schedule.lossScale(dimensions: 8) - expected) < 1e-15 * expected)
    let twice = schedule.lossScale(dimensions: 16) / schedule.lossScale(dimensions: 8)
    #expect(twice == (unit == .bpd ? 0.5 : 1))
  }

  @Test func theCosineEndsWithTheRun() {
    let schedule = schedule {
      $0.steps = 0
      $0.epochs = 4
      $0.schedule = .cosine
      $0.learningRate = 0.5
      $0.warmupSteps = 8
      $0.finalLearningRateFraction = 0.1
    }
    #expect(schedule.learningRate.rate(step: 0, epoch: 0) == 0.5 / 8)
    #expect(schedule.learningRate.rate(step: 8, epoch: 0) == 0.5)
    #expect(abs(schedule.learningRate.rate(step: 24, epoch: 2) - 0.275) < 1e-15)
    #expect(abs(schedule.learningRate.rate(step: 40, epoch: 4) - 0.05) < 1e-15)
  }

  @Test func theDecayIsByEpoch() {
    let schedule = schedule {
      $0.schedule = .decay
      $0.learningRate = 1
      $0.decay = 0.5
    }
    #expect(schedule.learningRate.rate(step: 9, epoch: 0) == 1)
    #expect(schedule.learningRate.rate(step: 30, epoch: 3) == 0.125)
  }
}
