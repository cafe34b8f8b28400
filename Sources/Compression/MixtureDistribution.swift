import Model
import Tensors

/// The distribution of one channel of a pixel, given the channels before it: a mixture of discretized logistics
/// (`LogisticMixture`) in fixed point.
///
/// The sum of all levels below one is a sum of logistic functions at the edge between two bins, so an interval costs two
/// evaluations and a search among 2^b levels b of them.
package struct MixtureDistribution: IntegerDistribution {
  package let levels: Int
  private let mixture: LogisticMixture
  /// log of each component's weight and of its probability of the channels so far.
  private var logWeights: [Double]
  /// The same as integers whose sum is 2^`weightBits`.
  private var weights: [UInt64]
  private var means: [Double]
  private var inverseScales: [Double]
  private var channel = 0

  private static let weightBits = 30
  private static let sigmoidBits = 31

  /// Room for distributions of `mixture`; `begin` makes one.
  package init(_ mixture: LogisticMixture) {
    self.mixture = mixture
    levels = mixture.levels
    logWeights = [Double](repeating: 0, count: mixture.mixtures)
    weights = [UInt64](repeating: 0, count: mixture.mixtures)
    means = logWeights
    inverseScales = logWeights
  }

  /// The first channel's distribution, described by row `row` of `logits`, which are finite.
  package mutating func begin(logits: Matrix, row: Int) {
    channel = 0
    for k in logWeights.indices { logWeights[k] = Double(logits[row, mixture.logitIndex(k)]) }
    load(logits: logits, row: row, pixel: [])
  }

  /// Goes on to the next channel; `pixel` holds the levels of all channels before it.
  package mutating func advance(logits: Matrix, row: Int, pixel: ArraySlice<UInt8>) {
    let last = Int(pixel[pixel.startIndex + channel])
    for k in logWeights.indices { logWeights[k] += logProbability(of: last, k) }
    channel += 1
    load(logits: logits, row: row, pixel: pixel)
  }

  package func cumulative(_ level: Int) -> UInt64 {
    guard level > 0 else { return 0 }
    guard level < levels else { return CodingPrecision.total }
    var sum: UInt64 = 0
    for k in weights.indices where weights[k] > 0 {
      sum += weights[k] * FixedPointSigmoid.value(place(ofEdge: level, k), bits: Self.sigmoidBits)
    }
    // Every level gets 1 of the total, and its share of the rest.
    let share = sum >> (Self.weightBits + Self.sigmoidBits - CodingPrecision.bits)
    return UInt64(level) + (share * (CodingPrecision.total - UInt64(levels))) >> CodingPrecision.bits
  }

  private mutating func load(logits: Matrix, row: Int, pixel: ArraySlice<UInt8>) {
    for k in means.indices {
      var mean = Double(logits[row, mixture.meanIndex(channel, k)])
      for previous in 0..<channel {
        let coefficient = PortableMath.tanh(Double(logits[row, mixture.coefficientIndex(channel, previous, k)]))
        mean += coefficient * DiscretizedLogistic.value(pixel[pixel.startIndex + previous], levels: levels)
      }
      means[k] = mean
      let logScale = Double(logits[row, mixture.logScaleIndex(channel, k)])
      inverseScales[k] = PortableMath.exp(-max(logScale, DiscretizedLogistic.minimalLogScale))
    }
    var largest = 0
    for k in logWeights.indices where logWeights[k] > logWeights[largest] { largest = k }
    var total = 0.0
    for logWeight in logWeights { total += PortableMath.exp(logWeight - logWeights[largest]) }
    var left: UInt64 = 1 << Self.weightBits
    for k in weights.indices {
      weights[k] = UInt64(PortableMath.exp(logWeights[k] - logWeights[largest]) / total * Double(1 << Self.weightBits))
      left -= weights[k]
    }
    weights[largest] += left
  }

  /// The edge below `level` as a number of scales from the mean of component `k`.
  private func place(ofEdge level: Int, _ k: Int) -> Double {
    let edge = Double(2 * level - 1) / Double(levels - 1) - 1
    return (edge - means[k]) * inverseScales[k]
  }

  /// log of what component `k` gives to `level` by the edges of its bin, so that the channels' distributions multiply to
  /// one of pixels; the model's loss takes the density below 1e-5, which differs by 1 % at most. With edges at a and b, log(sigmoid(b) - sigmoid(a)) =
  /// -softplus(-b) - softplus(a) + log(1 - e^(a - b)).
  private func logProbability(of level: Int, _ k: Int) -> Double {
    var result = 0.0
    if level < levels - 1 { result -= PortableMath.softplus(-place(ofEdge: level + 1, k)) }
    if level > 0 { result -= PortableMath.softplus(place(ofEdge: level, k)) }
    guard level > 0 && level < levels - 1 else { return result }
    let width = 2 / Double(levels - 1) * inverseScales[k]
    // The difference is 0 in doubles where a bin is narrower than 1e-16 scales.
    return result + PortableMath.log(max(width > 1e-5 ? 1 - PortableMath.exp(-width) : width, .leastNormalMagnitude))
  }
}
