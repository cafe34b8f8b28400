import Foundation
import Tensors

/// A mixture of discretized logistics over the channels of a pixel (PixelCNN++, Salimans et al. 2017): each component is
/// a product over channels, the mean of a channel being linear in the channels before it.
package struct LogisticMixture: Sendable {
  package let channels: Int
  package let mixtures: Int
  package let levels: Int

  package init(channels: Int, mixtures: Int, levels: Int) {
    self.channels = channels
    self.mixtures = mixtures
    self.levels = levels
  }

  // Places in a row of logits. Three channels have the reference's layout: the mixture logits, then for each channel its
  // means, log scales and the coefficients of one pair of channels. Other numbers of channels do not have as many pairs
  // as channels, so all coefficients follow at the end.

  /// Logit of component `k`.
  package func logitIndex(_ k: Int) -> Int { k }

  /// Mean of channel `c` in component `k`.
  package func meanIndex(_ c: Int, _ k: Int) -> Int { mixtures * (1 + c * (channels == 3 ? 3 : 2)) + k }

  /// Log scale of channel `c` in component `k`.
  package func logScaleIndex(_ c: Int, _ k: Int) -> Int { meanIndex(c, k) + mixtures }

  /// Coefficient by which channel `j` < `c` moves the mean of channel `c` in component `k`, before its tanh.
  package func coefficientIndex(_ c: Int, _ j: Int, _ k: Int) -> Int {
    let pair = c * (c - 1) / 2 + j
    return channels == 3 ? meanIndex(pair, k) + 2 * mixtures : mixtures * (1 + 2 * channels + pair) + k
  }

  /// The mean of channel `c` in component `k`, given the levels of the channels before it.
  func mean(_ c: Int, _ k: Int, logits: Matrix, row: Int, previous: (Int) -> UInt8) -> Double {
    var mean = Double(logits[row, meanIndex(c, k)])
    for j in 0..<c {
      let coefficient = tanh(Double(logits[row, coefficientIndex(c, j, k)]))
      mean += coefficient * DiscretizedLogistic.value(previous(j), levels: levels)
    }
    return mean
  }

  /// -log p(pixel) in nats; with `dLogits`, also writes its gradient times `scale` to that row.
  ///
  /// `pixel` gives the level of a channel; `joint` is scratch for `mixtures` values from `offset` on.
  func negativeLogLikelihood(
    logits: Matrix, row: Int, pixel: (Int) -> UInt8, dLogits: Matrix?, scale: Double, joint: DoubleBuffer, offset: Int
  ) -> Double {
    // log of each component's weight and probability, and the largest of both.
    var largestLogit = -Double.infinity
    var largestJoint = -Double.infinity
    for k in 0..<mixtures {
      let logit = Double(logits[row, logitIndex(k)])
      largestLogit = max(largestLogit, logit)
      var sum = logit
      for c in 0..<channels {
        let channel = DiscretizedLogistic(
          level: pixel(c), levels: levels, mean: mean(c, k, logits: logits, row: row, previous: pixel),
          logScale: Double(logits[row, logScaleIndex(c, k)]))
        sum += channel.logProbability
      }
      joint[offset + k] = sum
      largestJoint = max(largestJoint, sum)
    }
    var logitTotal = 0.0
    var jointTotal = 0.0
    for k in 0..<mixtures {
      logitTotal += exp(Double(logits[row, logitIndex(k)]) - largestLogit)
      jointTotal += exp(joint[offset + k] - largestJoint)
    }
    let logJoint = largestJoint + log(jointTotal)
    if let dLogits {
      for k in 0..<mixtures {
        let weight = exp(Double(logits[row, logitIndex(k)]) - largestLogit) / logitTotal
        let posterior = exp(joint[offset + k] - logJoint)
        dLogits[row, logitIndex(k)] = Float(scale * (weight - posterior))
        writeGradient(
          of: k, factor: -scale * posterior, logits: logits, row: row, pixel: pixel, dLogits: dLogits)
      }
    }
    return largestLogit + log(logitTotal) - logJoint
  }

  /// Writes `factor` times the gradient of one component's log probability.
  private func writeGradient(
    of k: Int, factor: Double, logits: Matrix, row: Int, pixel: (Int) -> UInt8, dLogits: Matrix
  ) {
    for c in 0..<channels {
      let channel = DiscretizedLogistic(
        level: pixel(c), levels: levels, mean: mean(c, k, logits: logits, row: row, previous: pixel),
        logScale: Double(logits[row, logScaleIndex(c, k)]))
      dLogits[row, meanIndex(c, k)] = Float(factor * channel.meanSlope)
      dLogits[row, logScaleIndex(c, k)] = Float(factor * channel.logScaleSlope)
      for j in 0..<c {
        let coefficient = tanh(Double(logits[row, coefficientIndex(c, j, k)]))
        let slope = channel.meanSlope * DiscretizedLogistic.value(pixel(j), levels: levels)
        dLogits[row, coefficientIndex(c, j, k)] = Float(factor * slope * (1 - coefficient * coefficient))
      }
    }
  }
}
