import Testing

import Optimization

struct GradientClippingTests {
  @Test func scalesToTheMaximumButNeverUp() {
    #expect(GradientClipping.scale(norm: 5, maximum: 10) == 1)
    #expect(GradientClipping.scale(norm: 0, maximum: 1) == 1)
    #expect(GradientClipping.scale(norm: 8, maximum: 2) == 2 / (8 + 1e-6))
  }

  @Test func normsThatAreNotFiniteShow() {
    #expect(GradientClipping.scale(norm: .infinity, maximum: 2) == 0)
    #expect(GradientClipping.scale(norm: .nan, maximum: 2).isNaN)
  }
}
