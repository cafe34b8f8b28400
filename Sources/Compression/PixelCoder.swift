import Model
import Tensors

/// One direction of coding: an encoder reads the levels that it is given, a decoder writes them.
///
/// Everything between a model's outputs and the coder's bytes is generic over this, so that both directions run the same
/// code.
protocol LevelCoder {
  /// Codes `level` under `distribution`.
  mutating func code(_ level: inout UInt8, _ distribution: borrowing some IntegerDistribution) throws(RangeDecoderError)
}

extension RangeEncoder: LevelCoder {
  mutating func code(_ level: inout UInt8, _ distribution: borrowing some IntegerDistribution) {
    let (cumulative, frequency) = distribution.interval(Int(level))
    encode(cumulative: cumulative, frequency: frequency)
  }
}

extension RangeDecoder: LevelCoder {
  mutating func code(
    _ level: inout UInt8, _ distribution: borrowing some IntegerDistribution
  ) throws(RangeDecoderError) {
    let (found, cumulative, frequency) = distribution.level(at: place())
    level = UInt8(found)
    try remove(cumulative: cumulative, frequency: frequency)
  }
}

/// Codes pixels under the distributions that the network's outputs describe.
struct PixelCoder {
  private enum Kind {
    case binary
    case mixture(MixtureDistribution)
  }

  private var kind: Kind
  private let channels: Int

  /// A coder of pixels of `channels` channels.
  init(distribution: PixelDistribution, channels: Int) {
    self.channels = channels
    switch distribution {
    case .binary: kind = .binary
    case .logisticMixture(let mixtures, let bits):
      kind = .mixture(MixtureDistribution(LogisticMixture(channels: channels, mixtures: mixtures, levels: 1 << bits)))
    }
  }

  /// Codes the pixel at `place` of `levels`, whose distribution row `row` of `logits` describes; they are finite.
  mutating func code(
    _ levels: inout [UInt8], at place: Int, logits: Matrix, row: Int, with coder: inout some LevelCoder
  ) throws(RangeDecoderError) {
    switch kind {
    case .binary:
      try coder.code(&levels[place], BinaryDistribution(zero: logits[row, 0], one: logits[row, 1]))
    case .mixture(var distribution):
      // Taken out while it changes, so that its arrays are not copied.
      kind = .binary
      defer { kind = .mixture(distribution) }
      distribution.begin(logits: logits, row: row)
      try coder.code(&levels[place], distribution)
      for channel in 1..<max(channels, 1) {
        distribution.advance(logits: logits, row: row, pixel: levels[place..<(place + channel)])
        try coder.code(&levels[place + channel], distribution)
      }
    }
  }
}
