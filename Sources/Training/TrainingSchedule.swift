import Configuration
import Datasets
import Foundation
import Optimization

/// How long a run is and how its numbers change from step to step.
public struct TrainingSchedule: Sendable {
  /// Optimizer steps of the whole run.
  public let totalSteps: Int
  /// Optimizer steps of an epoch.
  public let stepsPerEpoch: Int
  /// What the gradient of the sum of all images' negative log likelihoods, in nats, is multiplied by.
  public let lossScale: Double
  /// 1 / (dimensions * ln 2).
  package let bitsPerDimensionPerNat: Double
  package let learningRate: LearningRateSchedule

  /// The schedule of `options` with `stepsPerEpoch` steps in an epoch and images of `dimensions` pixels times channels.
  public init(_ options: RunConfiguration.TrainingOptions, stepsPerEpoch: Int, dimensions: Int) {
    totalSteps = options.steps > 0 ? options.steps : options.epochs * stepsPerEpoch
    self.stepsPerEpoch = stepsPerEpoch
    bitsPerDimensionPerNat = 1 / (Double(dimensions) * log(2))
    let unit = options.lossUnit == .bpd ? bitsPerDimensionPerNat : 1
    lossScale = unit / (options.lossReduction == .mean ? Double(options.imagesPerStep) : 1)
    let shape: LearningRateSchedule.Shape =
      switch options.schedule {
      case .constant: .constant
      case .decay: .epochDecay(factor: options.decay)
      case .cosine: .cosine(finalFraction: options.finalLearningRateFraction, totalSteps: totalSteps)
      }
    learningRate = LearningRateSchedule(peak: options.learningRate, shape: shape, warmUpSteps: options.warmupSteps)
  }
}
