/// How the flat parameter vector is cut up.
///
/// - A *block* is 1,024 floats (the last may be shorter): the unit of all cuts and of the gradient norm, which is therefore
///   the same on any number of ranks.
/// - A *bucket* is what is exchanged at a time: whole blocks. Only the first may be smaller; the backward finishes it last,
///   so its exchange is the one that nothing hides.
/// - A *shard* is the part of a bucket that one rank sums, updates and sends back: whole blocks, balanced, possibly none.
public struct ParameterShards: Sendable, Equatable {
  /// Floats of a block.
  public static let blockCount = 1024

  /// Length of the flat vector.
  public let count: Int
  /// Number of ranks that share it.
  public let ranks: Int
  /// The buckets, ascending, without gaps; none when `count` is 0.
  public let buckets: [Range<Int>]
  /// By bucket, the shard of each rank: contiguous, ascending, possibly empty.
  public let shardsByBucket: [[Range<Int>]]

  /// Cuts `count` floats into buckets of `bucketBytes`, rounded to whole blocks and at least one, shared by `ranks`.
  public init(count: Int, ranks: Int, bucketBytes: Int = 4 << 20) {
    precondition(count >= 0 && ranks > 0 && bucketBytes > 0, "ParameterShards: \(count), \(ranks), \(bucketBytes)")
    self.count = count
    self.ranks = ranks
    let blocks = (count + Self.blockCount - 1) / Self.blockCount
    let blocksPerBucket = max(1, bucketBytes / (Self.blockCount * MemoryLayout<Float>.stride))
    var cuts = Array(stride(from: blocks % blocksPerBucket, through: blocks, by: blocksPerBucket))
    if cuts.first != 0 { cuts.insert(0, at: 0) }
    let bucketBlocks = zip(cuts, cuts.dropFirst()).map { $0..<$1 }
    func floats(_ blocks: Range<Int>) -> Range<Int> {
      min(blocks.lowerBound * Self.blockCount, count)..<min(blocks.upperBound * Self.blockCount, count)
    }
    buckets = bucketBlocks.map(floats)
    shardsByBucket = bucketBlocks.map { blocks in
      (0..<ranks).map { floats(balancedPart($0, of: ranks, in: blocks)) }
    }
  }

  /// Number of blocks.
  public var blocks: Int { (count + Self.blockCount - 1) / Self.blockCount }

  /// The place of block `block`.
  public func range(ofBlock block: Int) -> Range<Int> {
    (block * Self.blockCount)..<min((block + 1) * Self.blockCount, count)
  }

  /// Everything that `rank` owns: its shards of all buckets, ascending, without empty ones.
  public func owned(by rank: Int) -> [Range<Int>] {
    precondition(rank >= 0 && rank < ranks, "ParameterShards: rank \(rank) of \(ranks)")
    return shardsByBucket.map { $0[rank] }.filter { !$0.isEmpty }
  }

  /// The blocks that `rank` owns, ascending.
  package func blocks(ownedBy rank: Int) -> [Int] {
    owned(by: rank).flatMap { range in
      (range.lowerBound / Self.blockCount)..<((range.upperBound + Self.blockCount - 1) / Self.blockCount)
    }
  }
}
