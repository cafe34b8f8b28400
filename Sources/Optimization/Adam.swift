import Foundation
import Kernels
import Tensors

/// Adam (Kingma and Ba 2015) with bias correction as in PyTorch's `torch.optim.Adam`, on the ranges of the flat parameter
/// vector that a rank owns:
///
///     m += (1 - beta1) * (g - m)
///     v = beta2 * v + (1 - beta2) * g * g
///     p = p * (1 - rate * weightDecay) - rate / (1 - beta1^t) * m / (sqrt(v) / sqrt(1 - beta2^t) + epsilon)
///
/// Weight decay is decoupled from the gradient (Loshchilov and Hutter 2019, `torch.optim.AdamW`). The update is
/// elementwise, so that its bits do not depend on how the vector is shared among ranks.
public struct Adam: Sendable {
  /// The hyperparameters apart from the learning rate.
  public struct Configuration: Sendable, Hashable {
    /// Decay of the first moment.
    public var beta1: Double
    /// Decay of the second moment.
    public var beta2: Double
    /// Added to the denominator.
    public var epsilon: Double
    /// Fraction of a parameter taken off per step, times the learning rate.
    public var weightDecay: Double

    /// A configuration; the defaults are the paper's.
    public init(beta1: Double = 0.9, beta2: Double = 0.999, epsilon: Double = 1e-8, weightDecay: Double = 0) {
      self.beta1 = beta1
      self.beta2 = beta2
      self.epsilon = epsilon
      self.weightDecay = weightDecay
    }
  }

  /// The hyperparameters.
  public let configuration: Configuration
  /// Number of updates made (t); to be restored from a checkpoint together with the moments.
  public var updates = 0
  /// Running means of the gradient (m).
  public let firstMoment: ShardedVector
  /// Running means of its squares (v).
  public let secondMoment: ShardedVector

  /// An optimizer of the parameters at `ranges` of the flat vector, with moments of zero.
  public init(_ configuration: Configuration = Configuration(), ranges: [Range<Int>]) {
    self.configuration = configuration
    firstMoment = ShardedVector(ranges: ranges)
    secondMoment = ShardedVector(ranges: ranges)
  }

  /// Updates the owned ranges of `parameters` by those of `gradient`, both of the whole length; the gradient is first
  /// multiplied by `gradientScale` (clipping). The work is done on the threads of `pool`.
  public mutating func update(
    _ parameters: FloatBuffer, gradient: FloatBuffer, learningRate: Double, gradientScale: Double = 1,
    pool: ThreadPool? = nil
  ) {
    updates += 1
    let t = Double(updates)
    let step = AdamUpdate(
      gradientScale: Float(gradientScale),
      decay: Float(1 - learningRate * configuration.weightDecay),
      firstRate: Float(1 - configuration.beta1),
      secondKept: Float(configuration.beta2),
      secondRate: Float(1 - configuration.beta2),
      stepSize: Float(learningRate / (1 - pow(configuration.beta1, t))),
      secondCorrection: Float((1 - pow(configuration.beta2, t)).squareRoot()),
      epsilon: Float(configuration.epsilon))
    firstMoment.forEachRange { range, offset in
      step.apply(
        to: parameters, range, gradient: gradient, first: firstMoment.storage, second: secondMoment.storage,
        offset: offset, pool: pool)
    }
  }
}
