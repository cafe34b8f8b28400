import Foundation
import Kernels
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(1))) struct ThreadPoolTests {
  /// Notes which tiles ran, and on which threads.
  private final class Record: Sendable {
    struct Contents {
      var runs: [Int]
      var busyThreads: Set<Int> = []
      var faults: [String] = []
    }
    let contents: Mutex<Contents>

    init(tiles: Int) { contents = Mutex(Contents(runs: [Int](repeating: 0, count: tiles))) }
  }

  private struct RecordedWork: TiledWork {
    let record: Record
    let tiles: Int
    let threads: Int

    func run(tile: Int, thread: Int) {
      record.contents.withLock { contents in
        contents.runs[tile] += 1
        if !(0..<threads).contains(thread) { contents.faults.append("thread \(thread) of \(threads)") }
        if !contents.busyThreads.insert(thread).inserted { contents.faults.append("thread \(thread) runs two tiles") }
      }
      // Lets other threads in between.
      if tile % 7 == 0 { sched_yield() }
      record.contents.withLock { contents in _ = contents.busyThreads.remove(thread) }
    }
  }

  @Test(arguments: [1, 2, 3, 8], [0, 1, 2, 7, 1000])
  func everyTileRunsOnce(threads: Int, tiles: Int) {
    let pool = ThreadPool(threads: threads)
    let record = Record(tiles: tiles)
    for round in 1...3 {
      pool.run(RecordedWork(record: record, tiles: tiles, threads: threads))
      record.contents.withLock { contents in
        #expect(contents.runs == [Int](repeating: round, count: tiles))
        #expect(contents.faults.isEmpty)
      }
    }
  }

  /// Waits in each thread's first tile until every thread has one, so that none can help another before.
  private struct FirstTiles: TiledWork {
    final class Record: Sendable {
      let tiles: Mutex<[Int?]>
      init(threads: Int) { tiles = Mutex([Int?](repeating: nil, count: threads)) }
    }
    let tiles: Int
    let record: Record

    func run(tile: Int, thread: Int) {
      let isFirst = record.tiles.withLock { first in
        guard first[thread] == nil else { return false }
        first[thread] = tile
        return true
      }
      guard isFirst else { return }
      while record.tiles.withLock({ $0.contains(nil) }) { sched_yield() }
    }
  }

  /// Work on the same rows meets them in the caches that hold them.
  @Test(arguments: [(4, 2), (100, 3), (7, 7), (1001, 4)])
  func threadsBeginWithSharesOfTheirOwn(tiles: Int, threads: Int) {
    let pool = ThreadPool(threads: threads)
    for _ in 0..<20 {
      let record = FirstTiles.Record(threads: threads)
      pool.run(FirstTiles(tiles: tiles, record: record))
      #expect(record.tiles.withLock { $0 } == (0..<threads).map { tiles * $0 / threads })
    }
  }

  /// Adds its tiles' numbers to places of their own, so that a tile left out or run twice shows in the sum.
  private struct Numbering: TiledWork {
    let tiles: Int
    let sums: UnsafeMutablePointer<Int>
    func run(tile: Int, thread: Int) { sums[tile] += tile + 1 }
  }

  private static func sumOfRuns(_ runs: Int, tiles: Int, pool: ThreadPool, pause: Int = .max) -> Int {
    let sums = UnsafeMutablePointer<Int>.allocate(capacity: tiles)
    sums.initialize(repeating: 0, count: tiles)
    defer { sums.deallocate() }
    for run in 0..<runs {
      // Long enough for the workers to fall asleep.
      if run % pause == pause - 1 { usleep(200) }
      pool.run(Numbering(tiles: tiles, sums: sums))
    }
    return (0..<tiles).reduce(0) { $0 + sums[$1] }
  }

  @Test func manyShortRunsLoseNothing() {
    let pool = ThreadPool(threads: 2)
    #expect(Self.sumOfRuns(20_000, tiles: 3, pool: pool) == 20_000 * 6)
    #expect(Self.sumOfRuns(1000, tiles: 3, pool: pool, pause: 2) == 1000 * 6)
  }

  @Test func moreThreadsThanCoresDoNotHang() {
    #expect(Self.sumOfRuns(300, tiles: 40, pool: ThreadPool(threads: 24)) == 300 * 820)
  }

  @Test func poolsWorkBesideEachOther() {
    let results = Mutex<[Int]>([])
    let threads = (0..<4).map { _ in
      Thread {
        let sum = Self.sumOfRuns(500, tiles: 5, pool: ThreadPool(threads: 2))
        results.withLock { $0.append(sum) }
      }
    }
    for thread in threads { thread.start() }
    while results.withLock({ $0.count }) < 4 { usleep(1000) }
    #expect(results.withLock { $0 } == [Int](repeating: 500 * 15, count: 4))
  }

  /// A pool waits for its threads when it goes, so that none can touch it afterwards; that it goes at all shows that
  /// its threads do not hold it.
  @Test func poolsGoWithTheirThreads() {
    weak var last: ThreadPool?
    for threads in [1, 2, 5, 2] {
      let pool = ThreadPool(threads: threads)
      _ = Self.sumOfRuns(2, tiles: 8, pool: pool)
      last = pool
    }
    #expect(last == nil)
  }
}
