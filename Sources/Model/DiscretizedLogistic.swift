import Foundation

/// The probability that a logistic distribution gives to one of 2^bits equal bins of [-1, 1], whose first and last
/// integrate the tails (PixelCNN++, Salimans et al. 2017).
///
/// With a and b the bin's ends in units of the scale, log(sigmoid(a) - sigmoid(b)) = -softplus(-a) - softplus(b) +
/// log(1 - e^(b - a)), where nothing cancels, and the probabilities of all bins sum to 1 for any mean and scale.
///
/// Where that is below 1e-5, the reference takes the density times the width of a bin. So does this where a bin's width w,
/// in units of the scale, is 1/2 at most: the two then differ by a fraction w^2 / 24 of probabilities that are together
/// about 2e-5 / w, so the sum stays within 6e-7 of 1. Where bins are wider, the density says little about them, and the
/// exact value is kept. The reference's width is that of 8 bits whatever the number of bits; this takes that of its bins.
package struct DiscretizedLogistic {
  /// log P(level).
  private(set) var logProbability: Double
  /// d log P / d mean.
  private(set) var meanSlope: Double
  /// d log P / d log scale.
  private(set) var logScaleSlope: Double

  /// The reference's lower limit of log scales, which has no gradient below it.
  package static let minimalLogScale = -7.0
  /// The log of the probability below which the reference takes the density instead.
  static let lowLogProbability = log(1e-5)
  /// The widest bin, in units of the scale, of which the density is taken.
  static let widestDensityBin = 0.5

  /// The value in [-1, 1] of `level` of `levels`.
  package static func value(_ level: UInt8, levels: Int) -> Double { 2 * Double(level) / Double(levels - 1) - 1 }

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
      logProbability = -end.softplusOfNegative - start.softplusOfNegative + log(-expm1(-width))
      if logProbability > Self.lowLogProbability || width > Self.widestDensityBin {
        meanSlope = inverseScale * (start.sigmoidOfNegative - end.sigmoidOfNegative)
        logScaleSlope =
          -end.z * end.sigmoidOfNegative - start.z * start.sigmoidOfNegative - width / expm1(width)
      } else {
        // The logistic density is e^-z / (1 + e^-z)^2 over the scale.
        let middle = Tail(centred * inverseScale)
        logProbability = -middle.z - 2 * middle.softplusOfNegative - logScale + log(2 * halfWidth)
        let slope = 2 * middle.sigmoidOfNegative - 1
        meanSlope = -inverseScale * slope
        logScaleSlope = -middle.z * slope - 1
      }
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
