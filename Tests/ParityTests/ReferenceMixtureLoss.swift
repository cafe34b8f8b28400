import Foundation

/// The reference's discretized mixture of logistics for one pixel, transcribed in double precision: its value, its
/// gradient, and how much it depends on its branch of low probabilities.
///
/// Where a component gives a level a probability of 1e-5 or less, the reference takes the density at the level times the
/// width of a bin of 8 bits, whatever the number of bits. That is the only place where this package may compute something
/// else: it takes the bins' own width and, where bins are wide against the scale, the exact probability.
struct ReferenceMixtureLoss {
  /// What to take where a component's probability is 1e-5 or less.
  enum LowProbability {
    /// What the reference takes.
    case reference
    /// What this package takes.
    case package
  }

  let channels: Int
  let mixtures: Int
  let levels: Int
  var lowProbability = LowProbability.reference

  /// One pixel's loss.
  struct Result {
    /// -log p, in nats.
    var nats: Double
    /// Its gradient, in the order of the logits.
    var gradient: [Double]
    /// The posterior weight of components that give a channel's level, other than the tails, a probability of 1e-5 or
    /// less.
    var lowWeight = 0.0
    /// The posterior weight of components that take the density where bins are wider than half a unit of the scale: there
    /// it is far from the bin's probability, and probabilities of all levels would not sum to 1.
    var wideDensityWeight = 0.0
  }

  /// The loss of a pixel, `x` `[channels]` in [-1, 1], given its `logits`: per component a mixture logit; then for each
  /// channel the means, the log scales and, of three channels, a coefficient.
  func callAsFunction(x: [Double], logits: [Double]) -> Result {
    let parts = channels == 3 ? 3 : 2
    func index(_ channel: Int, _ part: Int, _ k: Int) -> Int { mixtures * (1 + channel * parts + part) + k }
    var result = Result(nats: 0, gradient: [Double](repeating: 0, count: logits.count))
    var joint: [Double] = []
    var slopes: [[(mean: Double, logScale: Double)]] = []
    var isLow = [Bool](repeating: false, count: mixtures)
    var takesWideDensity = [Bool](repeating: false, count: mixtures)
    for k in 0..<mixtures {
      var sum = logits[k]
      slopes.append([])
      for channel in 0..<channels {
        var mean = logits[index(channel, 0, k)]
        if channel == 1 { mean += tanh(logits[index(0, 2, k)]) * x[0] }
        if channel == 2 { mean += tanh(logits[index(1, 2, k)]) * x[0] + tanh(logits[index(2, 2, k)]) * x[1] }
        let component = logistic(x: x[channel], mean: mean, rawLogScale: logits[index(channel, 1, k)])
        sum += component.logProbability
        slopes[k].append((component.meanSlope, component.logScaleSlope))
        isLow[k] = isLow[k] || component.isLow
        takesWideDensity[k] = takesWideDensity[k] || component.isWide
      }
      joint.append(sum)
    }
    let logWeightTotal = logSumExp(logits[..<mixtures])
    let logTotal = logSumExp(joint[...])
    result.nats = logWeightTotal - logTotal
    for k in 0..<mixtures {
      let posterior = exp(joint[k] - logTotal)
      if isLow[k] { result.lowWeight += posterior }
      if takesWideDensity[k] { result.wideDensityWeight += posterior }
      result.gradient[k] = exp(logits[k] - logWeightTotal) - posterior
      for channel in 0..<channels {
        result.gradient[index(channel, 0, k)] = -posterior * slopes[k][channel].mean
        result.gradient[index(channel, 1, k)] = -posterior * slopes[k][channel].logScale
      }
      guard channels == 3 else { continue }
      // Coefficient, the channel whose mean it moves, and the channel it multiplies.
      for (part, moved, factor) in [(0, 1, 0), (1, 2, 0), (2, 2, 1)] {
        let coefficient = tanh(logits[index(part, 2, k)])
        result.gradient[index(part, 2, k)] =
          -posterior * slopes[k][moved].mean * x[factor] * (1 - coefficient * coefficient)
      }
    }
    return result
  }

  private struct Logistic {
    var logProbability: Double
    var meanSlope: Double
    var logScaleSlope: Double
    var isLow = false
    var isWide = false
  }

  private func logistic(x: Double, mean: Double, rawLogScale: Double) -> Logistic {
    let logScale = max(rawLogScale, -7)
    let inverse = exp(-logScale)
    let middle = inverse * (x - mean)
    let upper = inverse * (x - mean + 1 / Double(levels - 1))
    let lower = inverse * (x - mean - 1 / Double(levels - 1))
    let probability = sigmoid(upper) - sigmoid(lower)
    // d log P by the upper end, by the lower end, and by the log scale directly.
    var (byUpper, byLower, direct) = (0.0, 0.0, 0.0)
    var result = Logistic(logProbability: 0, meanSlope: 0, logScaleSlope: 0)
    if x < -0.999 {
      result.logProbability = upper - softplus(upper)
      byUpper = sigmoid(-upper)
    } else if x > 0.999 {
      result.logProbability = -softplus(lower)
      byLower = -sigmoid(lower)
    } else if probability > 1e-5 {
      result.logProbability = log(probability)
      byUpper = sigmoid(upper) * sigmoid(-upper) / probability
      byLower = -sigmoid(lower) * sigmoid(-lower) / probability
    } else {
      result.isLow = true
      let width = upper - lower
      result.isWide = width > 0.5
      if lowProbability == .reference || width <= 0.5 {
        let bins = lowProbability == .reference ? 255 : Double(levels - 1)
        result.logProbability = middle - logScale - 2 * softplus(middle) + log(2 / bins)
        // The middle moves as both ends do.
        byUpper = 1 - 2 * sigmoid(middle)
        direct = -1 - byUpper * (middle - upper)
      } else {
        // sigmoid(u) - sigmoid(l) = sigmoid(u) sigmoid(-l) (1 - e^(l - u)).
        result.logProbability = -softplus(-upper) - softplus(lower) + log(-expm1(-width))
        byUpper = sigmoid(-upper) + 1 / expm1(width)
        byLower = -sigmoid(lower) - 1 / expm1(width)
      }
    }
    result.meanSlope = -inverse * (byUpper + byLower)
    result.logScaleSlope = rawLogScale < -7 ? 0 : -upper * byUpper - lower * byLower + direct
    return result
  }

  private func sigmoid(_ x: Double) -> Double { x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x)) }

  private func softplus(_ x: Double) -> Double { max(x, 0) + log1p(exp(-abs(x))) }

  private func logSumExp(_ values: ArraySlice<Double>) -> Double {
    let largest = values.max() ?? 0
    return largest + log(values.reduce(0) { $0 + exp($1 - largest) })
  }
}
