import Configuration
import Optimization

/// How long a run is and how its numbers change from step to step.
public struct TrainingSchedule: Sendable {
  /// Optimizer steps of the whole run.
  public let totalSteps: Int
  /// Optimizer steps of an epoch.
  public let stepsPerEpoch: Int
  package let learningRate: LearningRateSchedule
  private let lossUnit: RunConfiguration.LossUnit
  private let averagedImages: Double

  /// The schedule of `options` with `stepsPerEpoch` steps in an epoch.
  public init(_ options: RunConfiguration.TrainingOptions, stepsPerEpoch: Int) {
    totalSteps = options.steps > 0 ? options.steps : options.epochs * stepsPerEpoch
    self.stepsPerEpoch = stepsPerEpoch
    lossUnit = options.lossUnit
    averagedImages = options.lossReduction == .mean ? Double(options.imagesPerStep) : 1
    let shape: LearningRateSchedule.Shape =
      switch options.schedule {
      case .constant: .constant
      case .decay: .epochDecay(factor: options.decay)
      case .cosine: .cosine(finalFraction: options.finalLearningRateFraction, totalSteps: totalSteps)
      }
    learningRate = LearningRateSchedule(peak: options.learningRate, shape: shape, warmUpSteps: options.warmupSteps)
  }

  /// What the gradient of the sum of the images' negative log likelihoods, in nats, is multiplied by where images have
  /// `dimensions` pixels times channels.
  package func lossScale(dimensions: Int) -> Double {
    (lossUnit == .bpd ? StepLosses.bitsPerDimensionPerNat(dimensions: Double(dimensions)) : 1) / averagedImages
  }
}
