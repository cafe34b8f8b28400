import Tensors

/// One step of an exponential moving average on part of a flat vector; elementwise as `AdamUpdate` is.
package enum AverageUpdate {
  /// average[offset + i] = average[offset + i] * kept + values[range][i] * (1 - kept).
  package static func apply(
    to average: FloatBuffer, offset: Int, values: FloatBuffer, _ range: Range<Int>, kept: Float,
    pool: ThreadPool? = nil
  ) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= values.count && offset >= 0
        && offset + range.count <= average.count,
      "AverageUpdate: \(range) of \(values.count), average at \(offset) of \(average.count)")
    let work = Elements(
      count: range.count, kept: kept, values: values.base + range.lowerBound, average: average.base + offset)
    work.run(on: pool)
  }

  private struct Elements: FlatWork {
    let count: Int
    let kept: Float
    let values: UnsafePointer<Float>
    let average: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(from begin: Int, count: Int) {
      let x = values + begin
      let a = average + begin
      for vector in VectorSlices(count: count) {
        vector.store(vector.load(a) * kept + vector.load(x) * (1 - kept), a)
      }
    }
  }
}
