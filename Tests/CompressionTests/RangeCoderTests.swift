import Compression
import Foundation
import Tensors
import Testing

@Suite struct RangeCoderTests {
  /// Symbols with their frequencies out of 2^32, and the bits that they are worth.
  private struct Sequence {
    var intervals: [(cumulative: UInt64, frequency: UInt64)] = []
    var bits = 0.0

    mutating func append(_ cumulative: UInt64, _ frequency: UInt64) {
      intervals.append((cumulative, frequency))
      bits -= log2(Double(frequency) / Double(CodingPrecision.total))
    }
  }

  private func encode(_ sequence: Sequence) -> [UInt8] {
    var encoder = RangeEncoder()
    for (cumulative, frequency) in sequence.intervals { encoder.encode(cumulative: cumulative, frequency: frequency) }
    return encoder.finish()
  }

  /// Whether `bytes` decode to `sequence`, all of them.
  private func decodes(_ bytes: [UInt8], to sequence: Sequence) throws -> Bool {
    var decoder = try RangeDecoder(bytes)
    for (cumulative, frequency) in sequence.intervals {
      guard decoder.place() >= cumulative && decoder.place() < cumulative + frequency else { return false }
      try decoder.remove(cumulative: cumulative, frequency: frequency)
    }
    try decoder.finish()
    return true
  }

  @Test func noSymbolTakesOneByte() throws {
    #expect(encode(Sequence()) == [0])
    #expect(try decodes([0], to: Sequence()))
  }

  /// Intervals of every size and place, from 1 of 2^32 to all but 1.
  @Test(arguments: 0..<40)
  func randomIntervalsComeBackAtTheirPrice(seed: Int) throws {
    var generator = KeyedGenerator(seed: UInt64(seed), purpose: .sampling)
    var sequence = Sequence()
    for _ in 0..<generator.integer(below: 5000) {
      let size = generator.integer(below: 33)
      let frequency = max(1, min(CodingPrecision.total - 1, UInt64(generator.nextBits()) >> (32 - size) + 1))
      let room = CodingPrecision.total - frequency
      let cumulative =
        switch generator.integer(below: 3) {
        case 0: UInt64(0)
        case 1: room
        default: UInt64((Double(room) * generator.uniformDouble()).rounded(.down))
        }
      sequence.append(cumulative, frequency)
    }
    let bytes = encode(sequence)
    #expect(try decodes(bytes, to: sequence))
    #expect(Double(bytes.count * 8) <= sequence.bits * (1 + 1e-6) + 16)
  }

  /// Symbols with nearly all of the probability cost nearly nothing, and those with nearly none 32 bits, wherever they lie.
  @Test(arguments: [1, 8, 31, 32] as [UInt64], [false, true])
  func extremeProbabilitiesAreExact(rarity: UInt64, isLast: Bool) throws {
    let rare = CodingPrecision.total >> rarity
    for every in [1, 2, 1000] {
      var sequence = Sequence()
      for index in 0..<20_000 {
        let isRare = index % every == every - 1
        switch (isRare, isLast) {
        case (true, true): sequence.append(CodingPrecision.total - rare, rare)
        case (false, true): sequence.append(0, CodingPrecision.total - rare)
        case (true, false): sequence.append(0, rare)
        case (false, false): sequence.append(rare, CodingPrecision.total - rare)
        }
      }
      let bytes = encode(sequence)
      #expect(try decodes(bytes, to: sequence))
      #expect(Double(bytes.count * 8) <= sequence.bits * (1 + 1e-6) + 16, "every \(every)")
    }
  }

  /// The top of the interval, again and again: bytes of 255 pile up, until a carry runs through all of them.
  @Test(arguments: 1..<60)
  func carriesRunThroughAnyNumberOfBytes(length: Int) throws {
    var sequence = Sequence()
    // One third and then always the middle of what is left stays just below 2/3 for as long as one likes.
    sequence.append(CodingPrecision.total / 2 - 1, 2)
    for _ in 0..<length { sequence.append(CodingPrecision.total / 2 - 1, 2) }
    for _ in 0..<length { sequence.append(CodingPrecision.total - 1, 1) }
    #expect(try decodes(encode(sequence), to: sequence))
    var carrying = sequence
    carrying.append(CodingPrecision.total - 3, 3)
    #expect(try decodes(encode(carrying), to: carrying))
  }

  @Test func carriesDoHappen() {
    // 0.5 - 2^-32 and its like: the low end is 0x7fffffff..., and lies above one half once 2^-31 or more is added.
    var encoder = RangeEncoder()
    encoder.encode(cumulative: CodingPrecision.total / 2 - 1, frequency: 2)
    encoder.encode(cumulative: CodingPrecision.total - 1, frequency: 1)
    let bytes = encoder.finish()
    #expect(bytes[0] == 0x80)
  }

  @Test func missingBytesAreNoticed() throws {
    var sequence = Sequence()
    for symbol in 0..<200 { sequence.append(UInt64(symbol) << 24, 1 << 24) }
    let bytes = encode(sequence)
    for count in 0..<bytes.count {
      #expect(throws: RangeDecoderError.exhausted) {
        var decoder = try RangeDecoder(Array(bytes[..<count]))
        for _ in sequence.intervals {
          let symbol = decoder.place() >> 24
          try decoder.remove(cumulative: symbol << 24, frequency: 1 << 24)
        }
      }
    }
    #expect(throws: RangeDecoderError.bytesLeft(2)) { _ = try decodes(bytes + [0, 0], to: sequence) }
  }

  @Test func anyBytesDecodeToSomethingOrAnError() throws {
    var generator = KeyedGenerator(seed: 3, purpose: .sampling)
    for _ in 0..<200 {
      let bytes =
        generator.integer(below: 4) == 0
        ? [UInt8](repeating: 255, count: 50) : (0..<50).map { _ in UInt8(generator.integer(below: 256)) }
      do {
        var decoder = try RangeDecoder(bytes)
        let distribution = BinaryDistribution(zero: 0, one: generator.uniform() * 40 - 20)
        for _ in 0..<1000 {
          let (_, cumulative, frequency) = distribution.level(at: decoder.place())
          try decoder.remove(cumulative: cumulative, frequency: frequency)
        }
      } catch { #expect(error == .exhausted) }
    }
  }
}
