/// Elementary functions made of additions, multiplications, divisions and roundings of doubles alone, which IEEE 754
/// defines to the last bit.
///
/// What a file is decoded with must be the numbers it was encoded with; the C library's functions may differ in the last
/// bit between its versions and processors.
package enum PortableMath {
  /// e^x, to about 2 units in the last place; 0 below -700, where results would lose their precision.
  ///
  /// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by its Taylor polynomial, whose next term is below 5e-18. `x` is at most
  /// 700.
  @inline(__always)
  package static func exp(_ x: Double) -> Double {
    precondition(x <= 700, "PortableMath.exp(\(x))")
    guard x >= -700 else { return 0 }
    let n = (x * 1.4426950408889634).rounded(.toNearestOrEven)
    // ln 2 in two parts, the first with so few bits that its product with n is exact.
    let r = (x - n * 0x1.62e42fefap-1) - n * 0x1.cf79abc9e3b39p-40
    var e = 1 / 6_227_020_800.0
    e = e * r + 1 / 479_001_600.0
    e = e * r + 1 / 39_916_800.0
    e = e * r + 1 / 3_628_800.0
    e = e * r + 1 / 362_880.0
    e = e * r + 1 / 40_320.0
    e = e * r + 1 / 5_040.0
    e = e * r + 1 / 720.0
    e = e * r + 1 / 120.0
    e = e * r + 1 / 24.0
    e = e * r + 1 / 6.0
    e = e * r + 0.5
    e = e * r + 1
    e = e * r + 1
    // 2^n, by its exponent.
    return e * Double(bitPattern: UInt64(bitPattern: Int64(n) + exponentBias) << significandBits)
  }

  /// The natural logarithm of a positive, normal `x`.
  ///
  /// x = m 2^n with m between sqrt(1/2) and sqrt(2); ln m = 2 artanh(t) with t = (m - 1) / (m + 1), |t| < 0.172, by its
  /// series, whose next term is below 1e-19.
  package static func log(_ x: Double) -> Double {
    precondition(x >= .leastNormalMagnitude && x.isFinite, "PortableMath.log(\(x))")
    var m = Double(bitPattern: x.significandBitPattern | 1.0.bitPattern)
    var n = Double(Int64(x.exponentBitPattern) - exponentBias)
    if m > 1.4142135623730951 {
      m *= 0.5
      n += 1
    }
    let t = (m - 1) / (m + 1)
    let square = t * t
    var sum = 1 / 23.0
    sum = sum * square + 1 / 21.0
    sum = sum * square + 1 / 19.0
    sum = sum * square + 1 / 17.0
    sum = sum * square + 1 / 15.0
    sum = sum * square + 1 / 13.0
    sum = sum * square + 1 / 11.0
    sum = sum * square + 1 / 9.0
    sum = sum * square + 1 / 7.0
    sum = sum * square + 1 / 5.0
    sum = sum * square + 1 / 3.0
    sum = sum * square + 1
    return n * 0.6931471805599453 + 2 * t * sum
  }

  /// The hyperbolic tangent.
  package static func tanh(_ x: Double) -> Double {
    let small = exp(-2 * min(abs(x), 350))
    let magnitude = (1 - small) / (1 + small)
    return x < 0 ? -magnitude : magnitude
  }

  /// log(1 + e^x).
  package static func softplus(_ x: Double) -> Double { max(x, 0) + log(1 + exp(-abs(x))) }

  private static let exponentBias: Int64 = 1023
  private static let significandBits: UInt64 = 52
}
