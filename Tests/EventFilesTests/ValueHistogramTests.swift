import EventFiles
import Testing

struct ValueHistogramTests {
  @Test func bucketsHoldTheValuesBetweenTheirLimits() {
    let values: [Float] = [-3, -1, -0.5, 0, 0, 1e-30, 0.1, 0.11, 0.9, 1, 1.2, 1.25, 7, 1e30]
    let histogram = ValueHistogram(values)
    #expect(histogram.count == values.count && histogram.least == -3 && histogram.largest == 1e30)
    var lower = -Double.infinity
    for bucket in histogram.buckets {
      // A negative bucket holds its upper end, a positive one its lower end, such as zero.
      let inside = values.map(Double.init).filter { value in
        bucket.limit <= 0
          ? value > lower && value <= bucket.limit && value != 0 : value >= max(lower, 0) && value < bucket.limit
      }
      #expect(inside.count == bucket.count, "\(lower) to \(bucket.limit)")
      #expect(bucket.limit > lower)
      lower = bucket.limit
    }
    #expect(histogram.buckets.reduce(0) { $0 + $1.count } == values.count)
  }

  @Test func aBucketIsAQuarterOfAnOctaveWide() {
    #expect(ValueHistogram([1, 1.2, 1.25, 1.9, 2] as [Float]).buckets.map(\.limit) == [1.25, 1.5, 1.75, 2, 2.5])
    #expect(ValueHistogram([-1] as [Float]).buckets == [.init(limit: -1, count: 1)])
    #expect(
      ValueHistogram([-1.25, -1.2] as [Float]).buckets == [.init(limit: -1.25, count: 1), .init(limit: -1, count: 1)])
  }

  @Test func emptyBucketsBetweenOthersAreOne() {
    #expect(
      ValueHistogram([1, 1024] as [Float]).buckets
        == [.init(limit: 1.25, count: 1), .init(limit: 1024, count: 0), .init(limit: 1280, count: 1)])
  }

  @Test func sumsAreExactAndWhatIsNoNumberIsLeftOut() {
    let histogram = ValueHistogram([1, .nan, 3, .infinity, -.infinity] as [Float])
    #expect(histogram.count == 2 && histogram.notFinite == 3)
    #expect(histogram.sum == 4 && histogram.sumOfSquares == 10)
    #expect(histogram.least == 1 && histogram.largest == 3)
    #expect(ValueHistogram([] as [Float]).buckets.isEmpty)
    #expect(
      ValueHistogram([Float.greatestFiniteMagnitude]).buckets.last?.limit == Double(Float.greatestFiniteMagnitude))
  }
}
