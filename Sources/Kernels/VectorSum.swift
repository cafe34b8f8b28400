import Tensors

/// Sums over parts of flat vectors. The order of every addition is fixed, whatever the instruction set.
package enum VectorSum {
  /// target[at + i] += source[from + i] for i in 0..<count.
  package static func add(
    _ source: FloatBuffer, from: Int, into target: FloatBuffer, at: Int, count: Int, pool: ThreadPool? = nil
  ) {
    precondition(
      count >= 0 && from >= 0 && from + count <= source.count && at >= 0 && at + count <= target.count,
      "VectorSum.add: \(count) elements from \(from) of \(source.count) into \(at) of \(target.count)")
    Elements(count: count, source: source.base + from, target: target.base + at).run(on: pool)
  }

  private struct Elements: FlatWork {
    let count: Int
    let source: UnsafePointer<Float>
    let target: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(from begin: Int, count: Int) {
      let x = source + begin
      let y = target + begin
      for vector in VectorSlices(count: count) { vector.store(vector.load(y) + vector.load(x), y) }
    }
  }

  /// The sum of the squares of each of `ranges` of `vector`, in their order.
  package static func squares(_ vector: FloatBuffer, _ ranges: [Range<Int>], pool: ThreadPool?) -> [Double] {
    [Double](unsafeUninitializedCapacity: ranges.count) { sums, count in
      count = ranges.count
      if let base = sums.baseAddress { Squares(vector: vector, ranges: ranges, sums: base).run(on: pool) }
    }
  }

  private struct Squares: TiledWork {
    let vector: FloatBuffer
    let ranges: [Range<Int>]
    let sums: UnsafeMutablePointer<Double>

    /// A range may be as short as a page, which is not worth a tile of its own.
    static let rangesPerTile = 32

    var tiles: Int { (ranges.count + Self.rangesPerTile - 1) / Self.rangesPerTile }

    func run(tile: Int, thread: Int) {
      for index in (tile * Self.rangesPerTile)..<min((tile + 1) * Self.rangesPerTile, ranges.count) {
        sums[index] = squares(vector, ranges[index])
      }
    }
  }

  /// The sum of the squares of `range` of `vector`, in double precision: element i of the range goes to partial sum
  /// i mod 8, and the eight are added in order. Eight chains of additions instead of one hide their latency.
  package static func squares(_ vector: FloatBuffer, _ range: Range<Int>) -> Double {
    precondition(range.lowerBound >= 0 && range.upperBound <= vector.count, "VectorSum.squares: range \(range)")
    let x = vector.base + range.lowerBound
    var sums = SIMD8<Double>(repeating: 0)
    for slice in VectorSlices(count: range.count) {
      let values = SIMD8<Double>(slice.load(x))
      sums += values * values
    }
    var total = 0.0
    for lane in 0..<SIMD8<Double>.scalarCount { total += sums[lane] }
    return total
  }
}
