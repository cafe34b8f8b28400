import Configuration
import Orders
import Testing
import Training

struct SizeSelectionTests {
  private func selection(
    _ resize: [Int], _ probabilities: [Double] = [], side: Int = 16, columns: Int? = nil,
    _ change: (inout RunConfiguration) -> Void = { _ in }
  ) throws -> SizeSelection {
    var configuration = RunConfiguration()
    configuration.seed = 5
    configuration.data.resize = resize
    configuration.data.resizeProbabilities = probabilities
    change(&configuration)
    let size = ImageSize(rows: side, columns: columns ?? side)
    return try SizeSelection(
      configuration, size: size, orders: try OrderSelection(configuration, size: size))
  }

  private func square(_ side: Int) -> ImageSize { ImageSize(rows: side, columns: side) }

  @Test func withoutSizesImagesStayAsTheyAre() throws {
    let size = ImageSize(rows: 3, columns: 5)
    let sizes = try selection([], side: 3, columns: 5)
    #expect(sizes.sizes == [size] && sizes.probabilities == [1] && sizes.largest == size && !sizes.scales(size))
    #expect((0..<50).allSatisfy { sizes.index(step: $0, slot: 3) == 0 })
    // One size that is not theirs is taken by all.
    let small = try selection([9])
    #expect(small.scales(square(16)) && (0..<50).allSatisfy { small.size(step: $0, slot: 3) == square(9) })
  }

  @Test func sizesAreDrawnWithTheirProbabilities() throws {
    for (given, expected) in [([], [1.0 / 3, 1.0 / 3, 1.0 / 3]), ([0.2, 0.5, 0.3], [0.2, 0.5, 0.3])] {
      let sizes = try selection([16, 8, 12], given)
      #expect(sizes.probabilities == expected && sizes.largest == square(16))
      var counts = [0, 0, 0]
      for step in 0..<1_000 { for slot in 0..<6 { counts[sizes.index(step: step, slot: slot)] += 1 } }
      // With 2 degrees of freedom it is above 13.8 once in 1,000.
      let chiSquare = zip(counts, expected).reduce(0.0) { sum, pair in
        let mean = 6_000 * pair.1
        return sum + (Double(pair.0) - mean) * (Double(pair.0) - mean) / mean
      }
      #expect(chiSquare < 13.8, "\(counts)")
    }
  }

  @Test func drawsAreAFunctionOfSeedStepAndSlotAndNeverChange() throws {
    let sizes = try selection([8, 16])
    let draws = (0..<100).map { sizes.index(step: $0 / 10, slot: $0 % 10) }
    let again = try selection([8, 16])
    #expect((0..<100).reversed().map { again.index(step: $0 / 10, slot: $0 % 10) } == draws.reversed())
    let other = try selection([8, 16]) { $0.seed = 6 }
    #expect((0..<100).map { other.index(step: $0 / 10, slot: $0 % 10) } != draws)
    // A run goes on with the sizes of its configuration whatever version of the program goes on with it.
    #expect(Array(draws.prefix(10)) == [1, 0, 0, 0, 0, 1, 1, 0, 1, 1])
  }

  @Test func theOrderDrawnDoesNotDependOnTheSize() throws {
    let sizes = try selection([8, 16])
    let whole = try selection([])
    for step in 0..<30 {
      let (found, expected) = (sizes.trainingOrder(step: step, slot: 2), whole.trainingOrder(step: step, slot: 2))
      #expect(found.name == expected.name && found.order.size == sizes.size(step: step, slot: 2))
      if found.order.size == square(16) { #expect(found.order == expected.order) }
    }
    // What is tested stays as large as it is.
    #expect((0..<2).allSatisfy { sizes.orders(at: $0).test.allSatisfy { $0.order.size == square(16) } })
  }

  @Test func sizesThatCannotBeHadAreRefusedWithTheNumbers() throws {
    func message(
      _ resize: [Int], side: Int = 16, columns: Int? = nil, _ change: (inout RunConfiguration) -> Void = { _ in }
    ) -> String {
      do {
        _ = try selection(resize, side: side, columns: columns, change)
        return "none"
      } catch { return "\(error)" }
    }
    #expect(
      message([8, 32])
        == "'data.resize' has 32, but the images are 16x16 and are not made larger; leave out what is above 16")
    #expect(
      message([2], side: 4, columns: 6)
        == "'data.resize' makes squares smaller, but the images are 4x6; cut them with 'data.size', or set 'data.resize' "
        + "to []")
    let hilbert = { (configuration: inout RunConfiguration) in configuration.orders.base = .hilbert }
    #expect(message([8, 16], hilbert) == "none")
    #expect(
      message([8, 12], hilbert)
        == "'data.resize' has 12, but hilbert needs a square image whose side is a power of two, this one is 12x12; "
        + "use gilbert2d, which takes any size")
    // Orders that are only tested with need not exist.
    #expect(message([12]) { $0.orders.test = [.base(.hilbert, .identity)] } == "none")
  }
}
