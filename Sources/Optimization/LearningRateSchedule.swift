import Foundation

/// The learning rate of every step: a peak, a shape, and a linear warm-up in front of any shape.
public struct LearningRateSchedule: Sendable, Hashable {
  /// What the rate does after the warm-up.
  public enum Shape: Sendable, Hashable {
    /// Stays at the peak.
    case constant
    /// Multiplied by `factor` at the end of each epoch; the reference's factor is 0.999995.
    case epochDecay(factor: Double)
    /// Half a cosine from the peak, at the end of the warm-up, to `finalFraction` of it at step `totalSteps` and after.
    case cosine(finalFraction: Double, totalSteps: Int)
  }

  /// The highest rate.
  public var peak: Double
  /// What the rate does after the warm-up.
  public var shape: Shape
  /// Number of first steps during which the rate rises linearly, from peak / warmUpSteps in step 0.
  public var warmUpSteps: Int

  /// A schedule.
  public init(peak: Double, shape: Shape = .constant, warmUpSteps: Int = 0) {
    self.peak = peak
    self.shape = shape
    self.warmUpSteps = warmUpSteps
  }

  /// The rate of step `step` (updates made before it), which lies in epoch `epoch`; both count from 0.
  public func rate(step: Int, epoch: Int) -> Double {
    let warmUp = step < warmUpSteps ? Double(step + 1) / Double(warmUpSteps) : 1
    switch shape {
    case .constant: return peak * warmUp
    case .epochDecay(let factor): return peak * warmUp * pow(factor, Double(epoch))
    case .cosine(let finalFraction, let totalSteps):
      let length = max(1, totalSteps - warmUpSteps)
      let progress = Double(min(max(0, step - warmUpSteps), length)) / Double(length)
      return peak * warmUp * (finalFraction + (1 - finalFraction) * 0.5 * (1 + cos(.pi * progress)))
    }
  }
}
