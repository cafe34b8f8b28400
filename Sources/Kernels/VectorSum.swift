import Tensors

/// Sums over parts of flat vectors. The order of every addition is fixed, whatever the instruction set.
package enum VectorSum {
  /// target[at + i] += source[from + i] for i in 0..<count.
  package static func add(_ source: FloatBuffer, from: Int, into target: FloatBuffer, at: Int, count: Int) {
    precondition(
      count >= 0 && from >= 0 && from + count <= source.count && at >= 0 && at + count <= target.count,
      "VectorSum.add: \(count) elements from \(from) of \(source.count) into \(at) of \(target.count)")
    let x = source.base + from
    let y = target.base + at
    for vector in VectorSlices(count: count) { vector.store(vector.load(y) + vector.load(x), y) }
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
