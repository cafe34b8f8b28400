/// A run of floats cut into vectors of eight; the last one may be partly filled. Elementwise kernels loop over it, so that
/// the rest at the end goes through the very same operations.
struct VectorSlices: Sequence, IteratorProtocol {
  /// Eight floats, or fewer at the end.
  struct Slice {
    let start: Int
    let count: Int

    /// The floats of this slice at `base`; zeros where there are none.
    @inline(__always)
    func load(_ base: UnsafePointer<Float>) -> SIMD8<Float> {
      if count == SIMD8<Float>.scalarCount {
        return UnsafeRawPointer(base + start).loadUnaligned(as: SIMD8<Float>.self)
      }
      var vector = SIMD8<Float>()
      for lane in 0..<count { vector[lane] = base[start + lane] }
      return vector
    }

    /// Writes the floats of this slice at `base`.
    @inline(__always)
    func store(_ vector: SIMD8<Float>, _ base: UnsafeMutablePointer<Float>) {
      if count == SIMD8<Float>.scalarCount {
        UnsafeMutableRawPointer(base + start).storeBytes(of: vector, as: SIMD8<Float>.self)
      } else {
        for lane in 0..<count { base[start + lane] = vector[lane] }
      }
    }
  }

  private let count: Int
  private var start = 0

  @inline(__always)
  init(count: Int) { self.count = count }

  @inline(__always)
  mutating func next() -> Slice? {
    guard start < count else { return nil }
    let slice = Slice(start: start, count: Swift.min(SIMD8<Float>.scalarCount, count - start))
    start += slice.count
    return slice
  }
}
