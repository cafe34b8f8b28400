import AllocationCounter
import Foundation
import Kernels
import Synchronization

/// Counts what the threads of a pool allocate, whatever other tests do at the same time.
enum CountedAllocations {
  /// How often `body` allocates on the calling thread, which is one of the pool's, and on the others.
  static func during(_ pool: ThreadPool, _ body: () -> Void) -> Int {
    let on = Switch(threads: pool.threads, counts: true)
    let off = Switch(threads: pool.threads, counts: false)
    pool.run(on)
    let before = lmconv_counted_allocations()
    body()
    let after = lmconv_counted_allocations()
    pool.run(off)
    return after - before
  }

  /// A tile for every thread: none ends before all have begun.
  private struct Switch: TiledWork {
    private final class Arrivals: Sendable {
      let count = Atomic<Int>(0)
    }

    let tiles: Int
    let counts: Bool
    private let arrivals = Arrivals()

    init(threads: Int, counts: Bool) {
      tiles = threads
      self.counts = counts
    }

    func run(tile: Int, thread: Int) {
      lmconv_count_allocations_of_this_thread(counts ? 1 : 0)
      arrivals.count.add(1, ordering: .acquiringAndReleasing)
      while arrivals.count.load(ordering: .acquiring) < tiles { sched_yield() }
    }
  }
}
