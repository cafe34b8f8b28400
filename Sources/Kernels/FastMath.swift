/// Vectorized elementary functions. Scalars and short tails go through the same code, so a value's result does not
/// depend on where it lies in a row.
enum FastMath {
  /// e^x to within 2 units in the last place for x in [-87.3, 88.7]; below, at most 2^-126; above, infinity; NaN is NaN.
  ///
  /// x = n ln 2 + r with |r| <= ln 2 / 2; e^r by a polynomial of degree six (Cephes), times 2^n.
  @inline(__always)
  static func exp(_ x: Vector) -> Vector {
    // Comparisons and blends: the standard library's clamped(lowerBound:upperBound:) is not inlined.
    let lower = Vector(repeating: -87.33654)
    let upper = Vector(repeating: 88.72)
    let clamped = x.replacing(with: lower, where: x .< lower).replacing(with: upper, where: x .> upper)
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
    // 2^n in two factors: n = 128 alone would overflow the exponent.
    let bits = unsafeBitCast(shifted, to: SIMD8<Int32>.self) &- 0x4B40_0000
    let half = bits &>> 1
    let low = unsafeBitCast((half &+ 127) &<< 23, to: Vector.self)
    let high = unsafeBitCast((bits &- half &+ 127) &<< 23, to: Vector.self)
    let result = e * low * high
    return result.replacing(with: x, where: x .!= x)
  }

  /// 1 / (1 + e^-x).
  @inline(__always)
  static func sigmoid(_ x: Vector) -> Vector {
    Vector(repeating: 1) / (Vector(repeating: 1) + exp(-x))
  }
}
