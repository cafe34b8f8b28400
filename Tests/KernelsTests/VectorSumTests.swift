import Kernels
import Tensors
import TestSupport
import Testing

struct VectorSumTests {
  @Test(arguments: [1, 7, 40_000, 100_003])
  func sumsAreTheSameBitsOnAnyNumberOfThreads(count: Int) {
    var random = KeyedGenerator(testCase: count)
    let source = FloatBuffer(random.values(count + 3))
    let target = FloatBuffer(random.values(count + 5))
    let expected = zip(target.values(in: 2..<(2 + count)), source.values(in: 1..<(1 + count))).map { $0 + $1 }
    let threaded = FloatBuffer(target.values)
    VectorSum.add(source, from: 1, into: target, at: 2, count: count)
    VectorSum.add(source, from: 1, into: threaded, at: 2, count: count, pool: ThreadPool(threads: 3))
    #expect(target.values(in: 2..<(2 + count)) == expected)
    #expect(threaded.values == target.values)
  }

  @Test(arguments: [0, 1, 31, 32, 33, 100])
  func squaresOfRangesComeInTheirOrder(ranges count: Int) {
    var random = KeyedGenerator(testCase: count)
    let vector = FloatBuffer(random.values(13 * count + 1))
    let ranges = (0..<count).map { (13 * $0)..<(13 * $0 + $0 % 14) }
    let expected = ranges.map { VectorSum.squares(vector, $0) }
    #expect(VectorSum.squares(vector, ranges, pool: nil) == expected)
    #expect(VectorSum.squares(vector, ranges, pool: ThreadPool(threads: 2)) == expected)
  }
}
