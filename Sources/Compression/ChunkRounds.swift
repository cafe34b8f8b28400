import Collectives
import Kernels
import Synchronization

/// Work on chunks, shared by ranks and their threads: in each round every rank works on a few chunks, one on each of its
/// threads, and then all ranks tell each other the results.
struct ChunkRounds {
  private let communicator: any Communicator
  private let chunks: Int
  private let chunksPerRank: Int
  /// Threads that work on chunks.
  let workers: Int
  /// Threads that each of them has for its chunk, where there are fewer chunks than threads.
  let threadsPerWorker: Int

  /// Rounds for `chunks` chunks with `threads` threads on this rank. All ranks make it together.
  ///
  /// - Throws: when a rank is silent.
  init(chunks: Int, threads: Int, communicator: any Communicator) throws(CollectiveError) {
    self.communicator = communicator
    self.chunks = chunks
    // Agreed on by all ranks, whose hosts may differ in cores.
    let mostThreads = try communicator.maximum(threads)
    chunksPerRank = min(mostThreads, (chunks + communicator.size - 1) / communicator.size)
    workers = min(threads, chunksPerRank)
    threadsPerWorker = threads / workers
  }

  /// The bytes that `body` makes of each chunk, on all ranks. `body` is called by one thread at a time for each worker.
  ///
  /// `shouldStop` is asked between rounds, and by `body` if it likes, on any thread: `body` then throws `ChunkCutOff`. If it
  /// says yes on any rank, all stop after the round.
  ///
  /// - Throws: what `body` throws, on its rank alone; when asked to stop; when a rank is silent.
  func run(
    shouldStop: () -> Bool, progress: (_ done: Int) -> Void, _ body: (_ chunk: Int, _ worker: Int) throws -> [UInt8]
  ) throws -> [[UInt8]] {
    let pool = ThreadPool(threads: workers)
    var results: [[UInt8]] = []
    while results.count < chunks {
      let first = results.count + communicator.rank * chunksPerRank
      let own = first..<max(first, min(first + chunksPerRank, chunks))
      let outcomes = Outcomes(count: own.count)
      withoutActuallyEscaping(body) { body in
        pool.run(Round(first: first, tiles: own.count, outcomes: outcomes, body: body))
      }
      let values = try outcomes.values()
      // Agreed before anyone sends a result, since a rank may have none.
      let agreed = try communicator.maximum(values == nil ? 2 : shouldStop() ? 1 : 0)
      guard agreed < 2 else { throw CompressionError.interrupted(done: results.count, of: chunks) }
      var message = LittleEndianWriter()
      for bytes in values ?? [] {
        message.write(UInt32(bytes.count))
        message.write(bytes)
      }
      for bytes in try communicator.allGather(message.bytes) {
        var reader = LittleEndianReader(bytes[...])
        while let count = reader.read(UInt32.self), let result = reader.read(count: Int(count)) {
          results.append(result)
        }
      }
      if agreed == 1 && results.count < chunks { throw CompressionError.interrupted(done: results.count, of: chunks) }
      progress(results.count)
    }
    return results
  }

  private struct Round: TiledWork {
    let first: Int
    let tiles: Int
    let outcomes: Outcomes
    let body: (_ chunk: Int, _ worker: Int) throws -> [UInt8]

    func run(tile: Int, thread: Int) { outcomes.set(tile, Result { try body(first + tile, thread) }) }
  }

  /// What became of each chunk of a round.
  private final class Outcomes {
    private let results: Mutex<[Result<[UInt8], any Error>?]>

    init(count: Int) { results = Mutex([Result<[UInt8], any Error>?](repeating: nil, count: count)) }

    func set(_ index: Int, _ result: Result<[UInt8], any Error>) { results.withLock { $0[index] = result } }

    /// The results, or nil if a chunk was cut off.
    ///
    /// - Throws: the first error.
    func values() throws -> [[UInt8]]? {
      try results.withLock { results in
        do { return try results.compactMap { try $0?.get() } } catch is ChunkCutOff { return nil }
      }
    }
  }
}

/// Work on a chunk ended early because somebody asked to stop.
struct ChunkCutOff: Error {}
