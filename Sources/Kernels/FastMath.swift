/// Vectorized elementary functions. Scalars and short tails go through the same code, so a value's result does not
/// depend on where it lies in a row.
package enum FastMath {
  /// e^x to within 1.26 units in the last place (measured on every float) for x in [-87.336, 88.722].
  ///
  /// Below, 1.1755e-38, which is about the smallest normal number, instead of denormal ones; above, infinity where the
  /// result overflows; NaN is NaN.
  ///
  /// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by a polynomial of degree six (Cephes), times 2^n.
  @inline(__always)
  package static func exp(_ x: Vector) -> Vector {
    // Comparisons and blends: the standard library's clamped(lowerBound:upperBound:) is not inlined. Both are false for
    // NaN, which goes through all that follows. A blend for it at the end would keep this function from being inlined.
    let upper = Vector(repeating: 88.73)
    let (e, bits) = parts(x.replacing(with: upper, where: x .> upper))
    // 2^n in two factors: n = 128 alone would overflow the exponent.
    let half = bits &>> 1
    let low = unsafeBitCast((half &+ 127) &<< 23, to: Vector.self)
    let high = unsafeBitCast((bits &- half &+ 127) &<< 23, to: Vector.self)
    return e * low * high
  }

  /// `exp(x)` for x <= 0 (or NaN), the same bits in fewer operations.
  @inline(__always)
  package static func exp(nonPositive x: Vector) -> Vector {
    let (e, bits) = parts(x)
    return e * unsafeBitCast((bits &+ 127) &<< 23, to: Vector.self)
  }

  /// e^r and n, where x, or -87.33654 if that is more, is n ln 2 + r.
  @inline(__always)
  private static func parts(_ x: Vector) -> (Vector, SIMD8<Int32>) {
    let lower = Vector(repeating: -87.33654)
    let clamped = x.replacing(with: lower, where: x .< lower)
    // Adding 1.5 * 2^23 rounds to an integer, which is then in the low bits.
    let magic = Vector(repeating: 12_582_912)
    let shifted = magic.addingProduct(clamped, Vector(repeating: 1.44269504))
    let n = shifted - magic
    var r = clamped.addingProduct(n, Vector(repeating: -0.693359375))
    r = r.addingProduct(n, Vector(repeating: 2.12194440e-4))
    var p = Vector(repeating: 1.9875691500e-4)
    p = Vector(repeating: 1.3981999507e-3).addingProduct(p, r)
    p = Vector(repeating: 8.3334519073e-3).addingProduct(p, r)
    p = Vector(repeating: 4.1665795894e-2).addingProduct(p, r)
    p = Vector(repeating: 1.6666665459e-1).addingProduct(p, r)
    p = Vector(repeating: 5.0000001201e-1).addingProduct(p, r)
    let e = (Vector(repeating: 1) + r).addingProduct(p, r * r)
    return (e, unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- 0x4B40_0000)
  }

  /// 1 / (1 + e^-x) to within 3.2 units in the last place (measured on every float) for x above -87.3, and 0 below
  /// -88.73.
  @inline(__always)
  package static func sigmoid(_ x: Vector) -> Vector {
    Vector(repeating: 1) / (Vector(repeating: 1) + exp(-x))
  }
}
