import Tensors

/// One step of an exponential moving average on part of a flat vector; elementwise as `AdamUpdate` is.
package enum AverageUpdate {
  /// average[offset + i] = average[offset + i] * kept + values[range][i] * (1 - kept).
  package static func apply(
    to average: FloatBuffer, offset: Int, values: FloatBuffer, _ range: Range<Int>, kept: Float
  ) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= values.count && offset >= 0
        && offset + range.count <= average.count,
      "AverageUpdate: \(range) of \(values.count), average at \(offset) of \(average.count)")
    let x = values.base + range.lowerBound
    let a = average.base + offset
    for vector in VectorSlices(count: range.count) {
      vector.store(vector.load(a) * kept + vector.load(x) * (1 - kept), a)
    }
  }
}
