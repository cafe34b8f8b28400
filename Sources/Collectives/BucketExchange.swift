import Kernels
import Tensors

/// Adds up one bucket over all ranks: every rank sends its finished subtrees' parts of a shard to the shard's owner, which
/// adds them along the tree.
///
/// All ranks start and finish the same buckets in the same order, at most `window` started ahead of those finished. Used by
/// one thread at a time, the one that may call the communicator.
final class BucketExchange {
  /// Buckets that may be under way together, so that one is on its way while another is added up.
  static let window = 2

  /// A finished subtree of some rank.
  private struct Part {
    let rank: Int
    /// Which of that rank's subtrees.
    let index: Int
    /// Nodes of the tree that are complete with it.
    let merges: Int
    /// Which of the parts received from others; meaningless for own ones.
    let arrival: Int
  }

  private let shards: ParameterShards
  private let communicator: any Communicator
  /// Own subtrees' sums, in slot order; the first also takes the total.
  private let partials: [FloatBuffer]
  private let parts: [Part]
  private let arrivals: Int
  /// Place of one received part.
  private let stride: Int
  private let staging: FloatBuffer  // [window, arrivals, stride]
  private var requests: [[TransferRequest]]
  private var stack: [Int] = []

  /// `partials[i]` holds the sum of this rank's i-th maximal subtree when a bucket starts; at least one buffer, also for a
  /// rank without slots.
  init(shards: ParameterShards, tree: SlotTree, communicator: any Communicator, partials: [FloatBuffer]) {
    let rank = communicator.rank
    var parts: [Part] = []
    var arrivals = 0
    for peer in 0..<communicator.size {
      let subtrees = tree.maximalSubtrees(in: tree.slots(ofRank: peer, of: communicator.size))
      for (index, subtree) in subtrees.enumerated() {
        let merges = tree.merges(after: subtree, within: 0..<tree.slots)
        parts.append(Part(rank: peer, index: index, merges: merges, arrival: arrivals))
        if peer != rank { arrivals += 1 }
      }
    }
    self.shards = shards
    self.communicator = communicator
    self.partials = partials
    self.parts = parts
    self.arrivals = arrivals
    stride = shards.owned(by: rank).map(\.count).max() ?? 0
    staging = FloatBuffer(count: Self.window * arrivals * stride)
    let ownParts = parts.count - arrivals
    requests = Array(repeating: [], count: Self.window)
    for place in requests.indices { requests[place].reserveCapacity(arrivals + ownParts * communicator.size) }
    stack.reserveCapacity(parts.count)
  }

  /// Starts all transfers of `bucket`, whose own subtrees are final.
  func start(_ bucket: Int) throws(CollectiveError) {
    let place = bucket % Self.window
    let own = shards.shardsByBucket[bucket][communicator.rank]
    if !own.isEmpty {
      for part in parts where part.rank != communicator.rank {
        let offset = stagingOffset(part, place)
        requests[place].append(
          try communicator.startReceive(staging, offset..<(offset + own.count), from: part.rank, tag: bucket))
      }
    }
    for distance in 1..<communicator.size {
      // Starting behind itself, each rank sends to another one first.
      let peer = (communicator.rank + distance) % communicator.size
      let shard = shards.shardsByBucket[bucket][peer]
      guard !shard.isEmpty else { continue }
      for part in parts where part.rank == communicator.rank {
        requests[place].append(try communicator.startSend(partials[part.index], shard, to: peer, tag: bucket))
      }
    }
  }

  /// Waits for the transfers of `bucket` and leaves the sum over all slots in the first of `partials`, in this rank's shard.
  func finish(_ bucket: Int) throws(CollectiveError) {
    let place = bucket % Self.window
    for request in requests[place] { try communicator.wait(for: request) }
    requests[place].removeAll(keepingCapacity: true)
    let own = shards.shardsByBucket[bucket][communicator.rank]
    guard !own.isEmpty else { return }
    for index in parts.indices {
      stack.append(index)
      for _ in 0..<parts[index].merges {
        let upper = location(of: stack.removeLast(), own, place)
        let lower = location(of: stack[stack.count - 1], own, place)
        VectorSum.add(upper.buffer, from: upper.offset, into: lower.buffer, at: lower.offset, count: own.count)
      }
    }
    let total = location(of: stack.removeLast(), own, place)
    precondition(stack.isEmpty, "BucketExchange: \(stack.count) sums left over")
    if total.buffer !== partials[0] {
      partials[0].copy(own, from: total.buffer, at: total.offset)
    }
  }

  private func location(of index: Int, _ own: Range<Int>, _ place: Int) -> (buffer: FloatBuffer, offset: Int) {
    let part = parts[index]
    if part.rank == communicator.rank { return (partials[part.index], own.lowerBound) }
    return (staging, stagingOffset(part, place))
  }

  private func stagingOffset(_ part: Part, _ place: Int) -> Int { (place * arrivals + part.arrival) * stride }
}
