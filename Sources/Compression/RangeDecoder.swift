/// Why bytes are not what a `RangeEncoder` wrote.
package enum RangeDecoderError: Error, Equatable {
  /// The bytes end before the symbols do.
  case exhausted
  /// Bytes are left after the last symbol.
  case bytesLeft(Int)
}

/// Reads the symbols that a `RangeEncoder` wrote, given the same distributions.
package struct RangeDecoder {
  private let bytes: [UInt8]
  private var position = 0
  /// The bytes' place in the encoder's interval, from its low end.
  private var code: UInt64 = 0
  private var range = UInt64.max

  /// Bytes of the window that the encoder does not write: it ends with one byte, and zeros are read after it.
  private static let impliedBytes = 7

  /// A decoder of `bytes`.
  package init(_ bytes: [UInt8]) throws(RangeDecoderError) {
    self.bytes = bytes
    for _ in 0..<8 { try shift() }
  }

  /// The next symbol's place in its distribution: a number below `CodingPrecision.total` that lies in
  /// [cumulative, cumulative + frequency) of the symbol to be passed to `remove`.
  package func place() -> UInt64 {
    // The leftover of rounding belongs to the last symbol, and damaged bytes may be anywhere.
    min(code / (range >> CodingPrecision.bits), CodingPrecision.total - 1)
  }

  /// Goes on to the next symbol; this one has `frequency`, and `cumulative` before it.
  package mutating func remove(cumulative: UInt64, frequency: UInt64) throws(RangeDecoderError) {
    let unit = range >> CodingPrecision.bits
    let start = unit * cumulative
    code -= start
    range = cumulative + frequency == CodingPrecision.total ? range - start : unit * frequency
    while range < 1 << 56 {
      range <<= 8
      try shift()
    }
  }

  /// Checks that the bytes end where the symbols do.
  package func finish() throws(RangeDecoderError) {
    let expected = position - Self.impliedBytes
    guard bytes.count == expected else { throw .bytesLeft(bytes.count - expected) }
  }

  private mutating func shift() throws(RangeDecoderError) {
    guard position < bytes.count + Self.impliedBytes else { throw .exhausted }
    code = code << 8 | (position < bytes.count ? UInt64(bytes[position]) : 0)
    position += 1
  }
}
