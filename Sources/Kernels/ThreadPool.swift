import Foundation
import Synchronization
import Tensors

/// Work cut into tiles that may run in any order and on any thread. A tile's result may not depend on which thread runs
/// it or on the other tiles, which makes every result independent of the number of threads.
public protocol TiledWork {
  /// Number of tiles, independent of the number of threads.
  var tiles: Int { get }
  /// Does tile `tile`; `thread` is below the pool's `threads` and picks scratch memory.
  func run(tile: Int, thread: Int)
}

extension TiledWork {
  /// Runs every tile on `pool`, or in order on the calling thread.
  package func run(on pool: ThreadPool?) {
    if let pool { return pool.run(self) }
    for tile in 0..<tiles { run(tile: tile, thread: 0) }
  }

  /// Calls `run` of the value at `address`: a way to hand a value on the caller's stack to other threads without
  /// allocating a closure.
  fileprivate static func run(at address: UnsafeRawPointer, tile: Int, thread: Int) {
    address.assumingMemoryBound(to: Self.self).pointee.run(tile: tile, thread: thread)
  }
}

/// A fixed set of threads that work off tiles; the caller is one of them.
///
/// Each thread begins with its own share of consecutive tiles, the same of every work with as many, and then helps the
/// others. Tiles of rows are numbered in the order of the rows, so a row stays with the thread whose caches hold it:
/// cores that do not share a cache exchange lines several times more slowly (docs/kernels.md).
///
/// Starting work allocates nothing. Idle threads spin for some microseconds, then leave the core to whoever wants it, then
/// sleep, so that ranks that share a core do not starve each other. One thread at a time may call `run`.
public final class ThreadPool: Sendable {
  /// Number of threads, the caller included.
  public let threads: Int
  /// Memory for what a tile needs while it runs: `[threads, scratchFloats]`, a row for each thread.
  let scratch: FloatBuffer
  /// Floats of scratch memory of a thread: a block's rows of one panel, 16 KiB, half of a first-level cache.
  static let scratchFloats = NeighbourPlan.blockPixels * Panels.width

  private let workers: Workers

  /// A pool of `threads` threads, at least one.
  public init(threads: Int) {
    precondition(threads >= 1, "ThreadPool: \(threads) threads")
    self.threads = threads
    scratch = FloatBuffer(count: threads * Self.scratchFloats)
    workers = Workers(count: threads - 1)
  }

  deinit { workers.stop() }

  /// Runs every tile of `work`, then returns.
  public func run<Work: TiledWork>(_ work: Work) {
    let tiles = work.tiles
    guard threads > 1 && tiles > 1 else {
      for tile in 0..<tiles { work.run(tile: tile, thread: 0) }
      return
    }
    withUnsafePointer(to: work) { address in
      workers.run(Workers.Job(work: Work.self, address: UnsafeRawPointer(address), tiles: tiles))
    }
  }
}

/// The threads of a pool besides the caller, and what they share with it. They hold this and not the pool, which ends
/// them when it goes.
private final class Workers: @unchecked Sendable {
  struct Job {
    var work: any TiledWork.Type
    var address: UnsafeRawPointer
    var tiles: Int
  }

  /// Where a thread's share of the tiles goes on: on a cache line of its own.
  private final class Share {
    let next = Atomic<Int>(0)
    private let padding = (SIMD16<Int>(), SIMD16<Int>())
  }

  private let count: Int
  // `job` is written before `generation` is raised (release) and read after it was seen (acquire).
  private var job: Job?
  private let generation = Atomic<Int>(0)
  private let shares: [Share]
  private let running = Atomic<Int>(0)
  private let isStopping = Atomic<Bool>(false)
  private let sleep = NSCondition()

  init(count: Int) {
    self.count = count
    shares = (0...count).map { _ in Share() }
    running.store(count, ordering: .relaxed)
    for thread in 1..<(count + 1) {
      let worker = Thread { self.work(thread: thread) }
      worker.stackSize = 1 << 20
      worker.name = "lmconv-\(thread)"
      worker.start()
    }
    wait()
  }

  /// Does `job` together with the calling thread.
  func run(_ job: Job) {
    self.job = job
    for thread in 0...count { shares[thread].next.store(firstTile(of: thread, job), ordering: .relaxed) }
    running.store(count, ordering: .relaxed)
    wake()
    takeTiles(thread: 0)
    wait()
    self.job = nil
  }

  /// Ends the threads.
  func stop() {
    isStopping.store(true, ordering: .relaxed)
    running.store(count, ordering: .relaxed)
    wake()
    wait()
  }

  private func takeTiles(thread: Int) {
    guard let job else { return }
    for distance in 0...count {
      let owner = (thread + distance) % (count + 1)
      let end = firstTile(of: owner + 1, job)
      while true {
        let tile = shares[owner].next.add(1, ordering: .relaxed).oldValue
        guard tile < end else { break }
        job.work.run(at: job.address, tile: tile, thread: thread)
      }
    }
  }

  private func firstTile(of thread: Int, _ job: Job) -> Int { job.tiles * thread / (count + 1) }

  private func wake() {
    sleep.lock()
    generation.add(1, ordering: .sequentiallyConsistent)
    sleep.broadcast()
    sleep.unlock()
  }

  /// Waits until the threads have nothing left to do.
  private func wait() {
    var spins = 0
    while running.load(ordering: .acquiring) > 0 {
      spins += 1
      if spins > Self.spinLimit { sched_yield() }
    }
  }

  private func work(thread: Int) {
    var seen = 0
    running.subtract(1, ordering: .releasing)
    while true {
      var spins = 0
      while generation.load(ordering: .acquiring) == seen && spins < Self.spinLimit + Self.yieldLimit {
        spins += 1
        if spins > Self.spinLimit { sched_yield() }
      }
      if generation.load(ordering: .acquiring) == seen {
        sleep.lock()
        while generation.load(ordering: .acquiring) == seen { sleep.wait() }
        sleep.unlock()
      }
      seen += 1
      let isLast = isStopping.load(ordering: .acquiring)
      if !isLast { takeTiles(thread: thread) }
      running.subtract(1, ordering: .releasing)
      if isLast { return }
    }
  }

  /// About 20 microseconds.
  private static let spinLimit = 10_000
  /// About half a millisecond where nobody else wants the core, which outlasts what a step does on one thread between two
  /// jobs: waking a thread that sleeps takes longer than many a job.
  private static let yieldLimit = 1_000
}
