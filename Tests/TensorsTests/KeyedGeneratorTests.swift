import Tensors
import Testing

@Suite struct KeyedGeneratorTests {
  /// The known answers that come with Random123, the authors' implementation.
  @Test(
    arguments: [
      (
        counter: [0, 0, 0, 0], key: [0, 0],
        answer: [0x6627_e8d5, 0xe169_c58d, 0xbc57_ac4c, 0x9b00_dbd8]
      ),
      (
        counter: [0xffff_ffff, 0xffff_ffff, 0xffff_ffff, 0xffff_ffff], key: [0xffff_ffff, 0xffff_ffff],
        answer: [0x408f_276d, 0x41c8_3b0e, 0xa20b_c7c6, 0x6d54_51fd]
      ),
      (
        counter: [0x243f_6a88, 0x85a3_08d3, 0x1319_8a2e, 0x0370_7344], key: [0xa409_3822, 0x299f_31d0],
        answer: [0xd16c_fe09, 0x94fd_cceb, 0x5001_e420, 0x2412_6ea1]
      ),
    ] as [(counter: [UInt32], key: [UInt32], answer: [UInt32])])
  func philoxGivesThePublishedAnswers(counter: [UInt32], key: [UInt32], answer: [UInt32]) {
    let block = KeyedGenerator.philox(
      counter: (counter[0], counter[1], counter[2], counter[3]), key: (key[0], key[1]))
    #expect([block.0, block.1, block.2, block.3] == answer)
  }

  private func draws(
    seed: UInt64 = 1, purpose: RandomPurpose = .dropout, step: Int = 0, slot: Int = 0, count: Int = 12
  ) -> [UInt32] {
    var generator = KeyedGenerator(seed: seed, purpose: purpose, step: step, slot: slot)
    return (0..<count).map { _ in generator.nextBits() }
  }

  @Test func aStreamIsTheBlocksOfItsCounter() {
    let seed: UInt64 = 0x0123_4567_89ab_cdef
    let expected = (0..<3).flatMap { block -> [UInt32] in
      let bits = KeyedGenerator.philox(
        counter: (UInt32(block), RandomPurpose.sampling.rawValue, 5, 9), key: (0x89ab_cdef, 0x0123_4567))
      return [bits.0, bits.1, bits.2, bits.3]
    }
    #expect(draws(seed: seed, purpose: .sampling, step: 5, slot: 9) == expected)
  }

  /// Runs go on with the numbers of their first days, so these may never change.
  @Test func theRawValuesOfPurposesAreFixed() {
    let purposes: [RandomPurpose] = [
      .initialization, .epochPermutation, .generationOrder, .dropout, .binarization, .evaluationBinarization, .sampling,
    ]
    #expect(purposes.map(\.rawValue) == [1, 2, 3, 4, 5, 6, 7])
  }

  @Test func everyPartOfTheKeyGivesAnotherStream() {
    let streams = [
      draws(), draws(seed: 2), draws(seed: 1 << 32 | 1), draws(purpose: .sampling), draws(step: 1), draws(slot: 1),
      draws(step: Int(UInt32.max)), draws(slot: Int(UInt32.max)),
    ]
    #expect(Set(streams).count == streams.count)
    // Not even one number in common, as a stream that is only shifted would have.
    #expect(Set(streams.joined()).count == streams.count * 12)
    #expect(draws() == streams[0])
  }

  @Test func wideNumbersAreMadeOfTwoDraws() {
    let bits = draws(count: 4)
    var generator = KeyedGenerator(seed: 1, purpose: .dropout)
    #expect(generator.next() == UInt64(bits[1]) << 32 | UInt64(bits[0]))
    #expect(generator.uniform() == Float(bits[2] >> 8) / 16_777_216)
  }

  /// Chi-squared over 64 cells has mean 63 and standard deviation 11.2.
  private func chiSquared(_ cells: [Int]) -> Double {
    let expected = Double(cells.reduce(0, +)) / Double(cells.count)
    return cells.reduce(0) { $0 + (Double($1) - expected) * (Double($1) - expected) / expected }
  }

  @Test func uniformNumbersAreUniform() {
    var generator = KeyedGenerator(seed: 5, purpose: .sampling)
    var single = [Int](repeating: 0, count: 64)
    var double = [Int](repeating: 0, count: 64)
    for _ in 0..<64_000 {
      let x = generator.uniform()
      #expect(x >= 0 && x < 1)
      single[Int(x * 64)] += 1
      let y = generator.uniformDouble()
      #expect(y > 0 && y < 1)
      double[Int(y * 64)] += 1
    }
    #expect(chiSquared(single) < 63 + 5 * 11.2)
    #expect(chiSquared(double) < 63 + 5 * 11.2)
  }

  @Test func firstNumbersOfNeighbouringStreamsAreUniform() {
    var steps = [Int](repeating: 0, count: 64)
    var slots = [Int](repeating: 0, count: 64)
    for index in 0..<16_000 {
      var byStep = KeyedGenerator(seed: 5, purpose: .dropout, step: index)
      steps[byStep.integer(below: 64)] += 1
      var bySlot = KeyedGenerator(seed: 5, purpose: .dropout, slot: index)
      slots[bySlot.integer(below: 64)] += 1
    }
    #expect(chiSquared(steps) < 63 + 5 * 11.2)
    #expect(chiSquared(slots) < 63 + 5 * 11.2)
  }

  @Test func integersAreBelowTheirBoundAndUnbiased() {
    var generator = KeyedGenerator(seed: 8, purpose: .sampling)
    // Three quarters of 2^32: without rejection, multiples of 3 would come twice as often as other numbers.
    let bound = 3 << 30
    var residues = [0, 0, 0]
    for _ in 0..<30_000 {
      let value = generator.integer(below: bound)
      #expect(value >= 0 && value < bound)
      residues[value % 3] += 1
    }
    #expect(residues.allSatisfy { abs($0 - 10_000) < 5 * 82 }, "\(residues)")
    #expect(generator.integer(below: 1) == 0)
  }

  @Test func permutationsHoldEveryIndexOnce() {
    for count in [0, 1, 2, 3, 17, 1000] {
      var generator = KeyedGenerator(seed: 3, purpose: .epochPermutation, step: count)
      #expect(generator.permutation(of: count).sorted() == Array(0..<count))
    }
  }

  @Test func allPermutationsAreEquallyLikely() {
    var counts: [[Int]: Int] = [:]
    for epoch in 0..<24_000 {
      var generator = KeyedGenerator(seed: 3, purpose: .epochPermutation, step: epoch)
      counts[generator.permutation(of: 4), default: 0] += 1
    }
    #expect(counts.count == 24)
    #expect(counts.values.allSatisfy { abs($0 - 1000) < 5 * 31 }, "\(counts)")
  }
}
