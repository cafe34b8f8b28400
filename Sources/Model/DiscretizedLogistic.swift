import Foundation

/// The probability that a logistic distribution gives to one of 2^bits equal bins of [-1, 1], whose first and last
/// integrate the tails (PixelCNN++, Salimans et al. 2017).
///
/// Exact for any mean and scale: the probabilities of all bins sum to 1. With a and b the bin's ends in units of the
/// scale, log(sigmoid(a) - sigmoid(b)) = -softplus(-a) - softplus(b) + log(1 - e^(b - a)), where nothing cancels. The
/// reference switches to the density times the width of a bin where the probability is below 1e-5; there the two differ
/// in how the tail falls, and the reference's probabilities do not sum to 1.
struct DiscretizedLogistic {
  /// log P(level).
  private(set) var logProbability: Double
  /// d log P / d mean.
  private(set) var meanSlope: Double
  /// d log P / d log scale.
  private(set) var logScaleSlope: Double

  /// The reference's lower limit of log scales, which has no gradient below it.
  static let minimalLogScale = -7.0

  /// The value in [-1, 1] of `level` of `levels`.
  static func value(_ level: UInt8, levels: Int) -> Double { 2 * Double(level) / Double(levels - 1) - 1 }

  /// The probability of `level` in 0..<`levels` with its derivatives.
  init(level: UInt8, levels: Int, mean: Double, logScale rawLogScale: Double) {
    let logScale = max(rawLogScale, Self.minimalLogScale)
    let inverseScale = exp(-logScale)
    let halfWidth = 1 / Double(levels - 1)
    let centred = Self.value(level, levels: levels) - mean
    if Int(level) == 0 {
      let end = Tail((centred + halfWidth) * inverseScale)
      logProbability = -end.softplusOfNegative
      meanSlope = -inverseScale * end.sigmoidOfNegative
      logScaleSlope = -end.z * end.sigmoidOfNegative
    } else if Int(level) == levels - 1 {
      let start = Tail(-(centred - halfWidth) * inverseScale)
      logProbability = -start.softplusOfNegative
      meanSlope = inverseScale * start.sigmoidOfNegative
      logScaleSlope = -start.z * start.sigmoidOfNegative
    } else {
      let end = Tail((centred + halfWidth) * inverseScale)
      let start = Tail(-(centred - halfWidth) * inverseScale)
      let width = 2 * halfWidth * inverseScale
      // log(1 - e^-width); as the scale grows the width vanishes and only its logarithm can be represented.
      let logMass = width > 1e-8 ? log(-expm1(-width)) : log(2 * halfWidth) - logScale
      logProbability = -end.softplusOfNegative - start.softplusOfNegative + logMass
      meanSlope = inverseScale * (start.sigmoidOfNegative - end.sigmoidOfNegative)
      let massSlope = width > 1e-8 ? width / expm1(width) : 1
      logScaleSlope = -end.z * end.sigmoidOfNegative - start.z * start.sigmoidOfNegative - massSlope
    }
    if rawLogScale < Self.minimalLogScale { logScaleSlope = 0 }
  }

  /// softplus(-z) and sigmoid(-z) from one exponential.
  private struct Tail {
    let z: Double
    let softplusOfNegative: Double
    let sigmoidOfNegative: Double

    init(_ z: Double) {
      self.z = z
      let small = exp(-abs(z))
      softplusOfNegative = max(-z, 0) + log1p(small)
      sigmoidOfNegative = (z >= 0 ? small : 1) / (1 + small)
    }
  }
}
