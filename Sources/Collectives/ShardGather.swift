import Tensors

extension ParameterShards {
  /// Completes `vector`, of the whole length, on every rank: each rank has filled in what it owns.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gather(_ vector: FloatBuffer, over communicator: any Communicator) throws(CollectiveError) {
    precondition(vector.count == count, "ParameterShards.gather: \(vector.count) of \(count) elements")
    // One bucket is on its way while another is waited for: MPI's own gather, one after the other, leaves the link idle
    // half of the time.
    var underWay: [[TransferRequest]] = []
    for (bucket, ranges) in shardsByBucket.enumerated() {
      if underWay.count == BucketExchange.window {
        for request in underWay.removeFirst() { try communicator.wait(for: request) }
      }
      underWay.append(try startGather(vector, bucket, ranges, over: communicator))
    }
    for request in underWay.joined() { try communicator.wait(for: request) }
  }

  /// Starts to send the own one of `ranges`, the shards of `bucket`, to all others, and to receive theirs.
  private func startGather(
    _ vector: FloatBuffer, _ bucket: Int, _ ranges: [Range<Int>], over communicator: any Communicator
  ) throws(CollectiveError) -> [TransferRequest] {
    let (rank, size) = (communicator.rank, communicator.size)
    var requests: [TransferRequest] = []
    for distance in 1..<max(1, size) {
      // The one that sends to this rank first, as this one does to others.
      let peer = (rank + size - distance) % size
      guard !ranges[peer].isEmpty else { continue }
      requests.append(try communicator.startReceive(vector, ranges[peer], from: peer, tag: bucket))
    }
    guard !ranges[rank].isEmpty else { return requests }
    for distance in 1..<max(1, size) {
      requests.append(try communicator.startSend(vector, ranges[rank], to: (rank + distance) % size, tag: bucket))
    }
    return requests
  }

  /// Fills `full`, of the whole length, on every rank with what the ranks keep in `vector`.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gather(
    _ vector: ShardedVector, into full: FloatBuffer, over communicator: any Communicator
  ) throws(CollectiveError) {
    vector.store(into: full)
    try gather(full, over: communicator)
  }

  /// The whole vector on rank 0, nil on the others, of what the ranks keep in `vector`. The others need no memory for it.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gatherOnFirstRank(
    _ vector: ShardedVector, over communicator: any Communicator
  ) throws(CollectiveError) -> FloatBuffer? {
    precondition(vector.ranges == owned(by: communicator.rank), "gatherOnFirstRank: not this rank's ranges")
    guard communicator.rank == 0 else {
      var offset = 0
      for (bucket, range) in vector.ranges.enumerated() {
        let request = try communicator.startSend(vector.storage, offset..<(offset + range.count), to: 0, tag: bucket)
        try communicator.wait(for: request)
        offset += range.count
      }
      return nil
    }
    let full = FloatBuffer(count: count)
    vector.store(into: full)
    for peer in 1..<ranks {
      for (bucket, range) in owned(by: peer).enumerated() {
        let request = try communicator.startReceive(full, range, from: peer, tag: bucket)
        try communicator.wait(for: request)
      }
    }
    return full
  }
}
