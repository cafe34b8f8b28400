import Testing

import Collectives

struct ParameterShardsTests {
  @Test(arguments: [0, 1, 1023, 1024, 1025, 50_000, 4 * 1024, 100 * 1024 + 1])
  func shardsCoverEveryFloatOnceAtBlockBoundaries(count: Int) {
    for ranks in [1, 2, 3, 7] {
      for bucketBytes in [1, 4096, 5 * 4096, 1 << 20] {
        let shards = ParameterShards(count: count, ranks: ranks, bucketBytes: bucketBytes)
        #expect(shards.buckets.flatMap { Array($0) } == Array(0..<count))
        for (bucket, parts) in zip(shards.buckets, shards.shardsByBucket) {
          #expect(parts.count == ranks)
          #expect(parts.flatMap { Array($0) } == Array(bucket))
          #expect(parts.allSatisfy { $0.lowerBound % 1024 == 0 || $0.isEmpty })
        }
        #expect((0..<ranks).flatMap { shards.blocks(ownedBy: $0) }.sorted() == Array(0..<shards.blocks))
        #expect((0..<ranks).flatMap { shards.owned(by: $0) }.reduce(0) { $0 + $1.count } == count)
      }
    }
  }

  @Test func onlyTheFirstBucketIsSmaller() {
    let shards = ParameterShards(count: 10 * 1024 - 5, ranks: 2, bucketBytes: 4 * 4096)
    #expect(shards.buckets == [0..<2048, 2048..<6144, 6144..<10_235])
    #expect(shards.shardsByBucket[2] == [6144..<8192, 8192..<10_235])
    #expect(shards.owned(by: 1) == [1024..<2048, 4096..<6144, 8192..<10_235])
  }
}
