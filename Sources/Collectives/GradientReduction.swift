import Kernels
import Tensors

/// Sums the gradients of a step's slots over all ranks, by the fixed tree over the slots, so that the sum has the same bits
/// on any number of ranks. It owns the gradients' memory.
///
///     reduction.beginStep(step)
///     for slot in reduction.localSlots {
///       // the backward overwrites reduction.leaf from its end towards its beginning, calling reduction.didComplete(from:)
///       reduction.finishSlot()
///     }
///     try reduction.finishStep()   // reduction.sum holds the total in the ranges that this rank owns
///
/// During the last local slot each bucket is exchanged as soon as it is complete, by a thread of its own: from then (for a
/// rank without slots: from `beginStep`) until `finishStep` returns nobody else may call the communicator.
public final class GradientReduction {
  /// The tree over the slots.
  public let tree: SlotTree
  /// How the flat vector is shared among the ranks.
  public let shards: ParameterShards
  /// The slots whose gradients this rank computes, in this order.
  public let localSlots: Range<Int>

  private let communicator: any Communicator
  private let pool: ThreadPool?
  /// A stack: sums of finished subtrees, then the leaf.
  private let buffers: [FloatBuffer]
  /// For each local slot, the merges that it makes possible.
  private let merges: [Int]
  private let thread: CommunicationThread?

  private var finishedSlots: Int
  private var height = 0
  private var bucketsLeft = 0

  private let ownedBlocks: [Range<Int>]
  private let blockCounts: [Int]
  private let blockOrder: [Int]
  private var blockSums: [Double]

  /// A reduction of `slots` gradients of `count` floats each, over the ranks of `communicator`. The sums that the calling
  /// thread makes are shared out among the threads of `pool`.
  public init(
    count: Int, slots: Int, communicator: any Communicator, bucketBytes: Int = 4 << 20, pool: ThreadPool? = nil
  ) {
    let (rank, ranks) = (communicator.rank, communicator.size)
    let tree = SlotTree(slots: slots)
    let localSlots = tree.slots(ofRank: rank, of: ranks)
    let merges = Self.merges(tree: tree, localSlots: localSlots)
    let shards = ParameterShards(count: count, ranks: ranks, bucketBytes: bucketBytes)
    let buffers = (0..<Self.stackHeight(merges)).map { _ in FloatBuffer(count: count) }
    self.tree = tree
    self.shards = shards
    self.localSlots = localSlots
    self.communicator = communicator
    self.pool = pool
    self.merges = merges
    self.buffers = buffers
    finishedSlots = localSlots.count
    if ranks > 1 && count > 0 {
      let exchange = BucketExchange(shards: shards, tree: tree, communicator: communicator, partials: buffers)
      thread = CommunicationThread(exchange: exchange, bucketCount: shards.buckets.count)
    } else {
      thread = nil
    }

    let blocksByRank = (0..<ranks).map { shards.blocks(ownedBy: $0) }
    ownedBlocks = blocksByRank[rank].map { shards.range(ofBlock: $0) }
    blockCounts = blocksByRank.map(\.count)
    blockSums = Array(repeating: 0, count: shards.blocks)
    var order = Array(repeating: 0, count: shards.blocks)
    for (place, block) in blocksByRank.joined().enumerated() { order[block] = place }
    blockOrder = order
  }

  deinit { thread?.stop() }

  /// Bytes of the gradients that rank `rank` of `ranks` keeps: of one slot and of the subtrees it has begun. What it
  /// receives from others, a bucket or two, comes on top.
  public static func bytes(count: Int, slots: Int, rank: Int, ranks: Int) -> Int {
    let tree = SlotTree(slots: slots)
    let height = stackHeight(merges(tree: tree, localSlots: tree.slots(ofRank: rank, of: ranks)))
    return height * count * MemoryLayout<Float>.stride
  }

  private static func merges(tree: SlotTree, localSlots: Range<Int>) -> [Int] {
    localSlots.map { tree.merges(after: $0..<($0 + 1), within: localSlots) }
  }

  /// The most buffers in use at a time; at least one, also without slots.
  private static func stackHeight(_ merges: [Int]) -> Int {
    var (depth, highest) = (0, 1)
    for merge in merges {
      highest = max(highest, depth + 1)
      depth += 1 - merge
    }
    return highest
  }

  /// Where the backward of the current slot writes all of its gradient; another buffer for each slot.
  public var leaf: FloatBuffer { buffers[height] }

  /// After `finishStep`: the sum over all slots, valid in `shards.owned(by:)` of this rank, until the next `beginStep`.
  public var sum: FloatBuffer { buffers[0] }

  /// Begins step `step`, the number by which messages name it.
  public func beginStep(_ step: Int) {
    precondition(finishedSlots == localSlots.count && bucketsLeft == 0, "beginStep: the last step is not finished")
    communicator.step = step
    communicator.phase = .computation
    communicator.overlapsComputation = thread != nil
    finishedSlots = 0
    height = 0
    bucketsLeft = shards.buckets.count
    if localSlots.isEmpty { exchangeBuckets(from: 0) }
  }

  /// Says that the current slot's gradient is final at `offset` and everything after it.
  public func didComplete(from offset: Int) {
    precondition(finishedSlots < localSlots.count, "didComplete: no slot is under way")
    if finishedSlots == localSlots.count - 1 { exchangeBuckets(from: offset) }
  }

  /// Ends the current slot: all of its gradient is final.
  public func finishSlot() {
    precondition(finishedSlots < localSlots.count, "finishSlot: no slot is under way")
    if finishedSlots == localSlots.count - 1 {
      exchangeBuckets(from: 0)
    } else {
      merge(0..<shards.count)
    }
    height += 1 - merges[finishedSlots]
    finishedSlots += 1
  }

  /// Waits for the sums over all ranks.
  ///
  /// - Throws: when a rank is silent for too long, or MPI refuses.
  public func finishStep() throws(CollectiveError) {
    precondition(
      finishedSlots == localSlots.count, "finishStep: \(finishedSlots) of \(localSlots.count) slots are done")
    communicator.phase = .reduction
    communicator.overlapsComputation = false
    try thread?.finishStep()
  }

  /// After `finishStep`: the Euclidean norm of the whole summed gradient, on every rank. Block by block in double
  /// precision, then over the blocks in order, whoever owns them: the same bits on any number of ranks.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gradientNorm() throws(CollectiveError) -> Double {
    let start = blockCounts[..<communicator.rank].reduce(0, +)
    blockSums.replaceSubrange(
      start..<(start + ownedBlocks.count), with: VectorSum.squares(sum, ownedBlocks, pool: pool))
    try communicator.allGather(&blockSums, counts: blockCounts)
    var total = 0.0
    for place in blockOrder { total += blockSums[place] }
    return total.squareRoot()
  }

  /// The values of all slots in slot order, from those of the local slots (losses).
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gatherSlotValues(_ local: [Double]) throws(CollectiveError) -> [Double] {
    precondition(local.count == localSlots.count, "gatherSlotValues: \(local.count) of \(localSlots.count) values")
    var values = [Double](repeating: 0, count: tree.slots)
    values.replaceSubrange(localSlots, with: local)
    let counts = (0..<communicator.size).map { tree.slots(ofRank: $0, of: communicator.size).count }
    try communicator.allGather(&values, counts: counts)
    return values
  }

  /// Merges what the leaf completes, over `range`.
  private func merge(_ range: Range<Int>) {
    for top in stride(from: height, to: height - merges[finishedSlots], by: -1) {
      VectorSum.add(
        buffers[top], from: range.lowerBound, into: buffers[top - 1], at: range.lowerBound, count: range.count,
        pool: pool)
    }
  }

  /// Merges and hands over all buckets at or after `offset` that are left.
  private func exchangeBuckets(from offset: Int) {
    let before = bucketsLeft
    while bucketsLeft > 0 && shards.buckets[bucketsLeft - 1].lowerBound >= offset {
      bucketsLeft -= 1
      if !localSlots.isEmpty { merge(shards.buckets[bucketsLeft]) }
      thread?.markReady(1)
    }
    precondition(offset > 0 || bucketsLeft == 0, "GradientReduction: \(bucketsLeft) of \(before) buckets left over")
  }
}
