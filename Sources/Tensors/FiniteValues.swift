extension FloatBuffer {
  /// Index of the first element of `range` that is infinite or not a number; nil if all are finite.
  public func firstNotFinite(in range: Range<Int>) -> Int? {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "FloatBuffer: range \(range) outside 0..<\(count)")
    let values = UnsafeRawBufferPointer(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
    return values.firstNotFiniteFloat.map { range.lowerBound + $0 }
  }
}

extension Matrix {
  /// Row and column of the first element that is infinite or not a number; nil if all are finite.
  public var firstNotFinite: (row: Int, column: Int)? {
    guard let index = buffer.firstNotFinite(in: offset..<(offset + count)) else { return nil }
    let (row, column) = (index - offset).quotientAndRemainder(dividingBy: columns)
    return (row, column)
  }
}

extension UnsafeRawBufferPointer {
  /// Index, among the floats that the bytes are, of the first that is infinite or not a number; nil if all are finite.
  package var firstNotFiniteFloat: Int? {
    // Where all is well, which is nearly always, this is one pass without branches.
    let exponent: UInt32 = 0x7F80_0000
    let (floats, block) = (count / 4, 4096)
    func bits(_ index: Int) -> UInt32 { loadUnaligned(fromByteOffset: 4 * index, as: UInt32.self) }
    for start in stride(from: 0, to: floats, by: block) {
      let end = Swift.min(floats, start + block)
      var notFinite: UInt32 = 0
      for index in start..<end { notFinite |= bits(index) & exponent == exponent ? 1 : 0 }
      if notFinite != 0 { return (start..<end).first { bits($0) & exponent == exponent } }
    }
    return nil
  }
}
