import Tensors

extension ParameterShards {
  /// Completes `vector`, of the whole length, on every rank: each rank has filled in what it owns.
  ///
  /// - Throws: when a rank does not come in time, or MPI refuses.
  public func gather(_ vector: FloatBuffer, over communicator: any Communicator) throws(CollectiveError) {
    precondition(vector.count == count, "ParameterShards.gather: \(vector.count) of \(count) elements")
    for ranges in shardsByBucket { try communicator.allGather(vector, ranges: ranges) }
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
