/// The logistic function in fixed point, never decreasing as its argument grows: what makes integer distributions
/// monotone whatever the rounding.
package enum FixedPointSigmoid {
  /// 2^`bits` / (1 + e^-z), rounded; `bits` is at most 32.
  ///
  /// The argument is first rounded to a multiple of 2^-32, which is monotone. Below 0, neighbouring multiples have values
  /// that differ by a factor of at least 1 + 2^-33, more than their error of about 2^-50, so the values on the
  /// grid increase; above 0 they are the complement of those below.
  package static func value(_ z: Double, bits: Int) -> UInt64 {
    let limited = min(max(z, -limit), limit)
    let magnitude = abs((limited * 0x1p32).rounded(.toNearestOrEven) * 0x1p-32)
    let small = PortableMath.exp(-magnitude)
    let lower = UInt64((small / (1 + small) * Double(1 << bits)).rounded(.toNearestOrEven))
    return limited < 0 ? lower : (1 << bits) - lower
  }

  /// Beyond it the value is 0 or 2^bits.
  private static let limit = 40.0
}
