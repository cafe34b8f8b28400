import Orders
import Tensors
import Testing

@Suite struct GenerationOrderTests {
  private let size = ImageSize(rows: 2, columns: 3)

  @Test func positionsAreTheInversePermutation() throws {
    let order = try GenerationOrder(size: size, pixels: [5, 0, 3, 1, 4, 2])
    #expect(order.positions == [1, 3, 5, 2, 4, 0])
  }

  @Test func randomPermutationIsAnOrder() throws {
    var generator = KeyedGenerator(seed: 7, purpose: .generationOrder)
    let permutation = generator.permutation(of: size.pixels)
    #expect(try GenerationOrder(size: size, pixels: permutation).pixels == permutation.map(Int32.init))
  }

  @Test func observedPixelsComeFirstAndEachPartKeepsItsOrder() throws {
    let order = try GenerationOrder(base: .sCurve, size: size)
    #expect(order.pixels == [0, 1, 2, 5, 4, 3])
    #expect(order.observedFirst([3, 2, 4]).pixels == [2, 4, 3, 0, 1, 5])
    #expect(order.observedFirst([]) == order)
    #expect(order.observedFirst(Set(0..<6)) == order)
  }

  @Test func sequenceOfAnotherLengthIsRefused() {
    #expect(
      message { try GenerationOrder(size: size, pixels: [0, 1]) } == "an order of a 2x3 image has 6 entries, found 2")
  }

  @Test func pixelOutsideTheImageIsRefused() {
    #expect(
      message { try GenerationOrder(size: size, pixels: [0, 1, 2, 6, 4, 5]) }
        == "entry 3 is pixel 6, outside the 2x3 image (pixels 0 to 5)")
    #expect(
      message { try GenerationOrder(size: size, pixels: [-1, 1, 2, 3, 4, 5]) }
        == "entry 0 is pixel -1, outside the 2x3 image (pixels 0 to 5)")
  }

  @Test func repeatedPixelIsRefused() {
    #expect(
      message { try GenerationOrder(size: size, pixels: [0, 1, 5, 3, 4, 5]) }
        == "not a permutation: pixel (1, 2) is entry 2 and entry 5")
  }

  @Test func hilbertCurveOfAnotherSizeIsRefused() {
    // The size named is the image's own, also when the base is built on the transposed one.
    for variant in [OrderVariant.identity, .transpose] {
      #expect(
        message { try GenerationOrder(base: .hilbert, size: size, variant: variant) }
          == "hilbert needs a square image whose side is a power of two, this one is 2x3; "
          + "use gilbert2d, which takes any size")
    }
    #expect(throws: GenerationOrderError.noHilbertCurve(size: ImageSize(rows: 28, columns: 28))) {
      try GenerationOrder(base: .hilbert, size: ImageSize(rows: 28, columns: 28))
    }
  }
}

/// The message of the error that `body` throws, or what it returns instead.
func message(_ body: () throws -> GenerationOrder) -> String {
  do { return "no error: \(try body())" } catch { return "\(error)" }
}
