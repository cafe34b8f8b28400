/// A probability distribution over levels in integers, as the range coder needs it: frequencies of at least 1 whose sum is
/// `CodingPrecision.total`.
package protocol IntegerDistribution {
  /// Number of levels, at least 2.
  var levels: Int { get }
  /// The sum of the frequencies of all levels below `level`: 0 for 0, strictly increasing, and the total for `levels`.
  func cumulative(_ level: Int) -> UInt64
}

extension IntegerDistribution {
  /// Cumulative and own frequency of `level`.
  package func interval(_ level: Int) -> (cumulative: UInt64, frequency: UInt64) {
    let start = cumulative(level)
    return (start, cumulative(level + 1) - start)
  }

  /// The level whose interval holds `place`, which is below the total, with that interval.
  package func level(at place: UInt64) -> (level: Int, cumulative: UInt64, frequency: UInt64) {
    var lower = (level: 0, cumulative: UInt64(0))
    var upper = (level: levels, cumulative: CodingPrecision.total)
    while upper.level - lower.level > 1 {
      let level = (lower.level + upper.level) / 2
      let cumulative = cumulative(level)
      if cumulative <= place { lower = (level, cumulative) } else { upper = (level, cumulative) }
    }
    return (lower.level, lower.cumulative, upper.cumulative - lower.cumulative)
  }
}

/// The distribution of a pixel of two classes.
package struct BinaryDistribution: IntegerDistribution {
  package let levels = 2
  private let frequencyOfZero: UInt64

  /// The distribution of classes with two finite logits.
  package init(zero: Float, one: Float) {
    let sigmoid = FixedPointSigmoid.value(Double(zero) - Double(one), bits: CodingPrecision.bits)
    frequencyOfZero = min(max(sigmoid, 1), CodingPrecision.total - 1)
  }

  package func cumulative(_ level: Int) -> UInt64 {
    switch level {
    case 0: return 0
    case 1: return frequencyOfZero
    default: return CodingPrecision.total
    }
  }
}
