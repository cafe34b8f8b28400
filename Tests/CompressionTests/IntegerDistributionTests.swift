import Compression
import Foundation
import Kernels
import Model
import Tensors
import Testing

@Suite struct IntegerDistributionTests {
  /// Rows of logits of every size, up to the largest floats.
  static func logits(columns: Int, rows: Int, seed: UInt64) -> Matrix {
    var generator = KeyedGenerator(seed: seed, purpose: .sampling)
    let matrix = Matrix(rows: rows, columns: columns)
    for row in 0..<rows {
      let size: Float = [0.1, 1, 5, 50, 1e4, 1e30][row % 6]
      for column in 0..<columns { matrix[row, column] = (generator.uniform() - 0.5) * 2 * size }
    }
    for column in 0..<columns { matrix[0, column] = column % 2 == 0 ? .greatestFiniteMagnitude : 0 }
    for column in 0..<columns { matrix[1, column] = -.greatestFiniteMagnitude }
    return matrix
  }

  /// Every level has a frequency of at least 1, the sum is exact, and places find the level whose interval they lie in.
  private func check(_ distribution: some IntegerDistribution, _ generator: inout KeyedGenerator) {
    #expect(distribution.cumulative(0) == 0)
    #expect(distribution.cumulative(distribution.levels) == CodingPrecision.total)
    for level in 0..<distribution.levels {
      let (cumulative, frequency) = distribution.interval(level)
      #expect(frequency >= 1 && frequency < CodingPrecision.total, "level \(level)")
      for place in [cumulative, cumulative + frequency - 1, cumulative + UInt64(generator.nextBits()) % frequency] {
        #expect(distribution.level(at: place) == (level, cumulative, frequency))
      }
    }
  }

  @Test func binaryDistributionsAreWhole() {
    var generator = KeyedGenerator(seed: 4, purpose: .sampling)
    let logits = Self.logits(columns: 2, rows: 300, seed: 5)
    let sampler = PixelSampler(distribution: .binary, channels: 1)
    for row in 0..<logits.rows {
      let distribution = BinaryDistribution(zero: logits[row, 0], one: logits[row, 1])
      check(distribution, &generator)
      let expected = sampler.probabilities(logits: logits, row: row, channel: 0, previous: [])
      for level in 0..<2 {
        let found = Double(distribution.interval(level).frequency) / Double(CodingPrecision.total)
        #expect(abs(found - expected[level]) < 1e-9, "row \(row)")
      }
    }
  }

  @Test(arguments: 1...8, [1, 2, 3, 4])
  func mixturesAreWholeAndThoseOfTheModel(bits: Int, channels: Int) {
    let mixtures = 3
    let kind = PixelDistribution.logisticMixture(mixtures: mixtures, bits: bits)
    let logits = Self.logits(columns: kind.outputs(channels: channels), rows: 18, seed: UInt64(bits))
    let sampler = PixelSampler(distribution: kind, channels: channels)
    var distribution = MixtureDistribution(LogisticMixture(channels: channels, mixtures: mixtures, levels: 1 << bits))
    var generator = KeyedGenerator(seed: 6, purpose: .sampling)
    for row in 0..<logits.rows {
      let pixel = (0..<channels).map { _ in UInt8(generator.integer(below: 1 << bits)) }
      distribution.begin(logits: logits, row: row)
      for channel in 0..<channels {
        check(distribution, &generator)
        let expected = sampler.probabilities(logits: logits, row: row, channel: channel, previous: pixel)
        // With weights and scales of 1e4 and more, which component wins hangs on the last bit. Where the channels before
        // are all but impossible, the model takes their density, which weighs components by up to 1 % differently.
        let tolerance = channel == 0 ? 1e-7 : 1e-4
        if row % 6 < 4 && row > 1 {
          for level in 0..<distribution.levels {
            let found = Double(distribution.interval(level).frequency) / Double(CodingPrecision.total)
            #expect(abs(found - expected[level]) < tolerance, "row \(row), channel \(channel), level \(level)")
          }
        }
        if channel + 1 < channels { distribution.advance(logits: logits, row: row, pixel: pixel[...(channel)]) }
      }
    }
  }
}
