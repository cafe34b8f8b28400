/// What a range coder's probabilities are multiples of.
package enum CodingPrecision {
  /// Probabilities are integers over 2^`bits`.
  package static let bits = 32
  /// The sum of a distribution's frequencies.
  package static let total: UInt64 = 1 << bits
}

/// Writes symbols as bytes, each in -log2 of its probability bits: a range coder (Martin 1979) that puts out bytes and
/// handles carries.
///
/// The symbols so far have narrowed the interval [0, 1) to [low, low + range), seen through a window of 64 bits that moves
/// on by a byte whenever the range is below 2^56. So a probability is represented to within a factor of 1 + 2^-24.
package struct RangeEncoder {
  private var low: UInt64 = 0
  private var range = UInt64.max
  private var bytes: [UInt8] = []

  /// An encoder of no symbols yet.
  package init() {}

  /// Codes the symbol that has `frequency`, at least 1, of `CodingPrecision.total`, and `cumulative` of it before.
  package mutating func encode(cumulative: UInt64, frequency: UInt64) {
    precondition(
      frequency > 0 && cumulative <= CodingPrecision.total && frequency <= CodingPrecision.total - cumulative,
      "RangeEncoder: frequency \(frequency) from \(cumulative)")
    let unit = range >> CodingPrecision.bits
    let start = unit * cumulative
    add(start)
    // The last symbol takes what rounding left over.
    range = cumulative + frequency == CodingPrecision.total ? range - start : unit * frequency
    while range < 1 << 56 {
      bytes.append(UInt8(low >> 56))
      low <<= 8
      range <<= 8
    }
  }

  /// All bytes. Nothing can be encoded afterwards.
  ///
  /// The range is at least 2^56, so some byte followed by nothing but zeros is inside the interval.
  package mutating func finish() -> [UInt8] {
    add((1 << 56) - 1)
    bytes.append(UInt8(low >> 56))
    return bytes
  }

  private mutating func add(_ value: UInt64) {
    let (sum, overflows) = low.addingReportingOverflow(value)
    low = sum
    guard overflows else { return }
    // The interval lies in [0, 1), so a carry ends at a byte that is not 255.
    var index = bytes.count - 1
    while bytes[index] == 255 {
      bytes[index] = 0
      index -= 1
    }
    bytes[index] += 1
  }
}
