import Foundation
import Tensors

/// Draws the levels of a pixel from the distribution that the network's outputs describe.
public struct PixelSampler: Sendable {
  private let distribution: PixelDistribution
  private let channels: Int

  /// A sampler of pixels of `channels` channels.
  public init(distribution: PixelDistribution, channels: Int) {
    self.distribution = distribution
    self.channels = channels
  }

  /// Draws one pixel, described by row `row` of `logits`, into `levels` `[channels]`.
  ///
  /// `temperature` divides the logits of classes or components and multiplies the scales: 1 samples from the model, 0
  /// takes the most probable class or component and its means. Channels are drawn one after the other, each as a level,
  /// so that the model is given only what its data holds.
  public func sample(
    logits: Matrix, row: Int, temperature: Double, generator: inout KeyedGenerator, into levels: inout [UInt8]
  ) {
    precondition(levels.count == channels && temperature >= 0, "PixelSampler: \(levels.count) levels, \(temperature)")
    switch distribution {
    case .binary:
      levels[0] = UInt8(
        Self.draw(2, temperature: temperature, generator: &generator) { Double(logits[row, $0]) })
    case .logisticMixture(let mixtures, let bits):
      let mixture = LogisticMixture(channels: channels, mixtures: mixtures, levels: 1 << bits)
      let k = Self.draw(mixtures, temperature: temperature, generator: &generator) {
        Double(logits[row, mixture.logitIndex($0)])
      }
      let steps = Double(mixture.levels - 1)
      for c in 0..<channels {
        let mean = mixture.mean(c, k, logits: logits, row: row) { levels[$0] }
        let logScale = max(Double(logits[row, mixture.logScaleIndex(c, k)]), DiscretizedLogistic.minimalLogScale)
        let u = generator.uniformDouble()
        // The inverse of the logistic distribution; the nearest level is the bin it falls into, the tails going to the
        // first and the last.
        let value = temperature == 0 ? mean : mean + exp(logScale) * temperature * (log(u) - log1p(-u))
        levels[c] = UInt8(((min(max(value, -1), 1) + 1) / 2 * steps).rounded())
      }
    }
  }

  /// The probability of every level of `channel`, given the `previous` channels' levels: `[levels]`, summing to 1.
  public func probabilities(logits: Matrix, row: Int, channel: Int, previous: [UInt8]) -> [Double] {
    precondition(channel < channels && previous.count >= channel, "PixelSampler: channel \(channel)")
    switch distribution {
    case .binary:
      let excess = Double(logits[row, 1]) - Double(logits[row, 0])
      let small = exp(-abs(excess))
      let likely = 1 / (1 + small)
      return excess >= 0 ? [small * likely, likely] : [likely, small * likely]
    case .logisticMixture(let mixtures, let bits):
      let mixture = LogisticMixture(channels: channels, mixtures: mixtures, levels: 1 << bits)
      // The weight of each component, given the channels before.
      var logWeights = (0..<mixtures).map { Double(logits[row, mixture.logitIndex($0)]) }
      for k in 0..<mixtures {
        for c in 0..<channel {
          logWeights[k] +=
            DiscretizedLogistic(
              level: previous[c], levels: mixture.levels,
              mean: mixture.mean(c, k, logits: logits, row: row) { previous[$0] },
              logScale: Double(logits[row, mixture.logScaleIndex(c, k)])
            ).logProbability
        }
      }
      let largest = logWeights.max() ?? 0
      let weights = logWeights.map { exp($0 - largest) }
      let total = weights.reduce(0, +)
      var probabilities = [Double](repeating: 0, count: mixture.levels)
      for k in 0..<mixtures {
        let mean = mixture.mean(channel, k, logits: logits, row: row) { previous[$0] }
        let logScale = Double(logits[row, mixture.logScaleIndex(channel, k)])
        for level in 0..<mixture.levels {
          probabilities[level] +=
            weights[k] / total
            * exp(
              DiscretizedLogistic(level: UInt8(level), levels: mixture.levels, mean: mean, logScale: logScale)
                .logProbability)
        }
      }
      return probabilities
    }
  }

  /// An index below `count`, with probability proportional to e^(logit / temperature).
  private static func draw(
    _ count: Int, temperature: Double, generator: inout KeyedGenerator, logit: (Int) -> Double
  ) -> Int {
    let u = generator.uniformDouble()
    var best = 0
    for index in 1..<max(count, 1) where logit(index) > logit(best) { best = index }
    guard temperature > 0 else { return best }
    let largest = logit(best)
    var total = 0.0
    for index in 0..<count { total += exp((logit(index) - largest) / temperature) }
    var remaining = u * total
    for index in 0..<count {
      remaining -= exp((logit(index) - largest) / temperature)
      if remaining < 0 { return index }
    }
    return best
  }
}
