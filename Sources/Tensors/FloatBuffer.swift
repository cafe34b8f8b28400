/// A fixed block of floats aligned to a cache line: the storage of activations, parameters and gradients.
///
/// A class, so that every view (`Matrix`) keeps its storage alive. Concurrent use follows one rule, which makes it
/// sendable: while one thread writes an element, no other thread touches it. Kernels hand disjoint tiles to threads.
public final class FloatBuffer: @unchecked Sendable {
  /// Number of floats.
  public let count: Int
  /// First element; only kernels and collectives read it, and never past the life of this buffer.
  package let base: UnsafeMutablePointer<Float>

  /// A buffer of `count` zeros.
  public init(count: Int) {
    precondition(count >= 0, "FloatBuffer: negative count \(count)")
    self.count = count
    let bytes = Swift.max(count, 1) * MemoryLayout<Float>.stride
    let raw = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 64)
    base = raw.bindMemory(to: Float.self, capacity: Swift.max(count, 1))
    base.initialize(repeating: 0, count: Swift.max(count, 1))
  }

  /// A buffer holding `values`.
  public convenience init(_ values: [Float]) {
    self.init(count: values.count)
    for (index, value) in values.enumerated() { base[index] = value }
  }

  deinit { base.deallocate() }

  /// The element at `index`.
  public subscript(index: Int) -> Float {
    get {
      precondition(index >= 0 && index < count, "FloatBuffer: index \(index) outside 0..<\(count)")
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count, "FloatBuffer: index \(index) outside 0..<\(count)")
      base[index] = newValue
    }
  }

  /// Sets every element to `value`.
  public func fill(_ value: Float) { base.update(repeating: value, count: count) }

  /// Copies all of `other`, which has the same count.
  public func copy(from other: FloatBuffer) {
    precondition(other.count == count, "FloatBuffer.copy: \(other.count) elements into \(count)")
    base.update(from: other.base, count: count)
  }

  /// Copies into `range` as many elements of `other` from `offset`; the two places do not overlap.
  public func copy(_ range: Range<Int>, from other: FloatBuffer, at offset: Int) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= count && offset >= 0 && offset + range.count <= other.count,
      "FloatBuffer.copy: \(offset)..<\(offset + range.count) of \(other.count) elements into \(range) of \(count)")
    (base + range.lowerBound).update(from: other.base + offset, count: range.count)
  }

  /// The elements of `range` as an array.
  public func values(in range: Range<Int>) -> [Float] {
    precondition(range.lowerBound >= 0 && range.upperBound <= count, "FloatBuffer: range \(range) outside 0..<\(count)")
    return Array(UnsafeBufferPointer(start: base + range.lowerBound, count: range.count))
  }

  /// All elements as an array.
  public var values: [Float] { values(in: 0..<count) }

  /// Writes `values` starting at element `offset`.
  public func write(_ values: [Float], at offset: Int) {
    precondition(
      offset >= 0 && offset + values.count <= count,
      "FloatBuffer.write: \(values.count) elements at \(offset) into \(count)")
    values.withUnsafeBufferPointer { source in
      if let start = source.baseAddress { (base + offset).update(from: start, count: values.count) }
    }
  }
}
