import Foundation
import Kernels
import Synchronization

/// How long a cache line takes from one core to another: what threads pay for each line of rows that another has written.
/// It is several times as long between cores that share no cache, and where a virtual machine's cores lie may change while
/// it runs.
public enum HandoverTime {
  private static let roundTrips = 20_000

  /// Nanoseconds one way between two threads of `pool`, the shortest of some measurements; nil for a pool of one thread.
  public static func measure(pool: ThreadPool) -> Double? {
    guard pool.threads > 1 else { return nil }
    return (0..<5).map { _ in
      let taken = ContinuousClock().measure { pool.run(PingPong(tiles: pool.threads, line: Line())) }
      return taken / .nanoseconds(1) / Double(2 * roundTrips)
    }.min()
  }

  private final class Line: Sendable {
    let turn = Atomic<Int>(0)

    /// Waits for `turn`, then writes the next.
    func pass(_ own: Int) {
      var spins = 0
      while turn.load(ordering: .acquiring) != own {
        spins += 1
        // Both threads may have to share a core.
        if spins > 10_000 { sched_yield() }
      }
      turn.store(own + 1, ordering: .releasing)
    }
  }

  /// Tiles 0 and 1 write the line in turn; the others have nothing to do.
  private struct PingPong: TiledWork {
    let tiles: Int
    let line: Line

    func run(tile: Int, thread: Int) {
      guard tile < 2 else { return }
      for trip in 0..<roundTrips { line.pass(2 * trip + tile) }
    }
  }
}
