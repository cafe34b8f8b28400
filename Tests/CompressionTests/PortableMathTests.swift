import Compression
import Foundation
import Tensors
import Testing

@Suite struct PortableMathTests {
  @Test func functionsAgreeWithTheCLibrary() {
    var generator = KeyedGenerator(seed: 1, purpose: .sampling)
    for _ in 0..<100_000 {
      let x = (generator.uniformDouble() - 0.5) * pow(10, generator.uniformDouble() * 8 - 5)
      if abs(x) < 690 {
        #expect(abs(PortableMath.exp(x) / exp(x) - 1) < 5e-16, "exp \(x)")
        let positive = exp(x)
        #expect(
          abs(PortableMath.log(positive) - log(positive)) <= 5e-16 * max(1, abs(log(positive))), "log \(positive)")
      }
      #expect(abs(PortableMath.tanh(x) - tanh(x)) < 5e-16, "tanh \(x)")
      let softplus = max(x, 0) + log1p(exp(-abs(x)))
      #expect(abs(PortableMath.softplus(x) - softplus) <= 5e-16 * max(1, softplus), "softplus \(x)")
    }
  }

  @Test func endsAreExact() {
    #expect(PortableMath.exp(0) == 1)
    #expect(PortableMath.exp(-1e300) == 0)
    #expect(PortableMath.exp(-.infinity) == 0)
    #expect(PortableMath.log(1) == 0)
    #expect(PortableMath.tanh(0) == 0)
    #expect(PortableMath.tanh(1e300) == 1)
    #expect(PortableMath.tanh(-1e300) == -1)
    #expect(PortableMath.softplus(-1e300) == 0)
    #expect(PortableMath.softplus(1e300) == 1e300)
  }

  @Test func theSigmoidIsTheSigmoid() {
    for step in -600...600 {
      let z = Double(step) / 15
      let expected = 1 / (1 + exp(-z))
      #expect(abs(Double(FixedPointSigmoid.value(z, bits: 32)) * 0x1p-32 - expected) <= 0x1p-33 + 1e-10)
      // Both sides of 0 are complements.
      #expect(FixedPointSigmoid.value(z, bits: 31) + FixedPointSigmoid.value(-z, bits: 31) == 1 << 31)
    }
    #expect(FixedPointSigmoid.value(-1e300, bits: 32) == 0)
    #expect(FixedPointSigmoid.value(1e300, bits: 32) == 1 << 32)
    #expect(FixedPointSigmoid.value(0, bits: 32) == 1 << 31)
  }

  /// Down to neighbouring points of the grid, and neighbouring doubles, at places of all sizes.
  @Test func theSigmoidNeverDecreases() {
    var generator = KeyedGenerator(seed: 2, purpose: .sampling)
    for _ in 0..<2000 {
      var z = (generator.uniformDouble() - 0.5) * 80 * pow(10, -6 * generator.uniformDouble())
      var last = FixedPointSigmoid.value(z, bits: 32)
      for step in 0..<50 {
        z = step % 2 == 0 ? z.nextUp : z + 0x1p-33
        let value = FixedPointSigmoid.value(z, bits: 32)
        #expect(value >= last, "at \(z)")
        last = value
      }
    }
  }
}
