import FuzzedParsers
import Tensors
import Testing

/// What `./launch.sh test --fuzz` begins with, and a little of what it does.
@Suite struct FuzzedParserTests {
  @Test(arguments: FuzzedParser.allCases) func everySeedIsAccepted(parser: FuzzedParser) throws {
    for (index, seed) in try parser.seeds().enumerated() {
      // A chunk is never accepted: it is compared with other images.
      #expect(parser.check(seed) == (parser != .chunk), "seed \(index)")
    }
  }

  @Test(arguments: FuzzedParser.allCases) func damagedSeedsEndInAValueOrAnErrorWithAMessage(parser: FuzzedParser) throws
  {
    for (index, seed) in try parser.seeds().enumerated() {
      var generator = KeyedGenerator(seed: 1, purpose: .sampling, step: index)
      for _ in 0..<(parser == .chunk ? 20 : 200) {
        var bytes = seed
        for _ in 0...generator.integer(below: 3) {
          bytes[generator.integer(below: bytes.count)] = UInt8(generator.integer(below: 256))
        }
        parser.check(bytes)
        parser.check(Array(bytes.prefix(generator.integer(below: bytes.count))))
      }
    }
  }
}
