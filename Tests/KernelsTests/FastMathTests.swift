import Foundation
import Kernels
import Testing

/// Errors over the range of all floats, in units in the last place (ulp) of the exact result. The bounds were measured on
/// every float; here, on every 1021st.
struct FastMathTests {
  @Test func exponentialIsAccurateWhereTheResultIsNormal() {
    let worst = worstError(in: -87.336...88.722, of: { FastMath.exp($0) }, exact: { exp($0) })
    #expect(worst.error <= 1.26, "\(worst.error) ulp at \(worst.x)")
  }

  @Test func sigmoidIsAccurateWhereTheResultIsNormal() {
    let worst = worstError(
      in: -87.3...Float.greatestFiniteMagnitude, of: { FastMath.sigmoid($0) }, exact: { 1 / (1 + exp(-$0)) })
    #expect(worst.error <= 3.2, "\(worst.error) ulp at \(worst.x)")
  }

  @Test func exponentialOfLargeNegativeNumbersIsAlmostTheSmallestNormalNumber() {
    for x: Float in [-87.34, -88, -104, -1e4, -1e38, -.greatestFiniteMagnitude, -.infinity] {
      let value = FastMath.exp(Vector(repeating: x))[0]
      #expect(value >= Float.leastNormalMagnitude && value < 1.0001 * Float.leastNormalMagnitude, "e^\(x) = \(value)")
    }
  }

  @Test func exponentialOverflowsToInfinity() {
    #expect(FastMath.exp(Vector(repeating: 88.722))[0] < .infinity)
    for x: Float in [88.7229, 89, 1e4, .greatestFiniteMagnitude, .infinity] {
      #expect(FastMath.exp(Vector(repeating: x))[0] == .infinity, "e^\(x)")
    }
  }

  @Test func sigmoidSaturates() {
    for x: Float in [-88.8, -1e4, -.infinity] { #expect(FastMath.sigmoid(Vector(repeating: x))[0] == 0, "\(x)") }
    for x: Float in [17.4, 1e4, .infinity] { #expect(FastMath.sigmoid(Vector(repeating: x))[0] == 1, "\(x)") }
    #expect(FastMath.sigmoid(Vector(repeating: 0))[0] == 0.5)
  }

  @Test func smallNumbersAndDenormalsHaveTheExponentialOne() {
    for x: Float in [0, -0.0, .leastNonzeroMagnitude, -.leastNonzeroMagnitude, .leastNormalMagnitude, 1e-30, -1e-10] {
      #expect(FastMath.exp(Vector(repeating: x))[0] == 1, "\(x)")
    }
  }

  @Test func notANumberStaysSo() {
    for x: Float in [.nan, -.nan, .signalingNaN] {
      #expect(FastMath.exp(Vector(repeating: x))[0].isNaN)
      #expect(FastMath.sigmoid(Vector(repeating: x))[0].isNaN)
    }
  }

  @Test func theShorterExponentialHasTheSameBits() {
    for start in stride(from: Float(-0.0).bitPattern, to: UInt32.max - 8 * 1021, by: 8 * 1021) {
      var x = Vector.zero
      for lane in 0..<8 { x[lane] = Float(bitPattern: start + UInt32(lane) * 1021) }
      let (short, full) = (FastMath.exp(nonPositive: x), FastMath.exp(x))
      for lane in 0..<8 {
        let isSame = short[lane].bitPattern == full[lane].bitPattern || short[lane].isNaN && full[lane].isNaN
        #expect(isSame, "e^\(x[lane]) = \(short[lane]) and \(full[lane])")
      }
    }
    #expect(
      FastMath.exp(nonPositive: Vector(repeating: -.infinity))[0] == FastMath.exp(Vector(repeating: -.infinity))[0])
  }

  @Test func lanesDoNotDependOnEachOther() {
    let x = Vector(-90, -3.5, .nan, 0, 1e-3, 42, .infinity, -.infinity)
    for lane in 0..<8 {
      #expect(FastMath.exp(x)[lane].bitPattern == FastMath.exp(Vector(repeating: x[lane]))[lane].bitPattern)
    }
  }

  private func worstError(
    in range: ClosedRange<Float>, of function: (Vector) -> Vector, exact: (Double) -> Double
  ) -> (error: Double, x: Float) {
    var worst = (error: 0.0, x: Float(0))
    for start in stride(from: UInt32(0), to: UInt32.max - 8 * 1021, by: 8 * 1021) {
      var x = Vector.zero
      for lane in 0..<8 { x[lane] = Float(bitPattern: start + UInt32(lane) * 1021) }
      let y = function(x)
      for lane in 0..<8 where range.contains(x[lane]) {
        let expected = exact(Double(x[lane]))
        let error = abs(Double(y[lane]) - expected) / Double(Float(expected).ulp)
        if !(error <= worst.error) { worst = (error, x[lane]) }
      }
    }
    return worst
  }
}
