import Foundation
import Synchronization

/// What a rank is doing, in the words of a run; named when others wait for it.
public enum ActivityPhase: UInt8, Sendable {
  /// Connecting, reading data, taking over a checkpoint.
  case startUp
  /// Computing gradients, or whatever the rank's own work is.
  case computation
  /// Waiting for the sum of all gradients.
  case reduction
  /// Updating the parameters that the rank owns.
  case update
  /// Collecting the parameters that others own.
  case gathering
  /// Computing the likelihood of test images.
  case evaluation
  /// Collecting and writing the state of the run.
  case checkpoint

  var name: String {
    switch self {
    case .startUp: return "start-up"
    case .gathering: return "gathering of parameters"
    default: return "\(self)"
    }
  }
}

/// Where a rank is.
package struct RankPosition: Sendable, Equatable, CustomStringConvertible {
  package var step: Int?
  package var phase: ActivityPhase
  /// What it waits in; nil while it is busy itself.
  package var operation: CollectiveOperation?

  package init(step: Int?, phase: ActivityPhase, operation: CollectiveOperation? = nil) {
    self.step = step
    self.phase = phase
    self.operation = operation
  }

  /// Without the operation.
  package var place: String { (step.map { "step \($0), " } ?? "") + phase.name }

  package var description: String { operation.map { "\(place) (\($0))" } ?? place }
}

/// Seconds of a clock that stands still while the machine sleeps, and that may be read as often as one likes.
package enum MonotonicTime {
  package static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }

  /// Processor time that this process has used.
  static var processor: Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
  }
}

/// What this rank does and how long it has waited for others: written by the threads that work, read by the watchdog.
/// Nothing here allocates.
final class Activity: Sendable {
  /// A look at it.
  struct Snapshot: Sendable {
    var position: RankPosition
    /// Whether the rank can only wait: what its communication thread waits for while it computes does not count.
    var isWaiting: Bool
    /// Since when the operation has been going on.
    var operationBegan: Double
    /// Counts everything that began or ended.
    var progress: UInt64
    /// Seconds spent waiting so far, with the wait that is going on.
    var waited: Double
    /// A call that MPI offers in blocking form only.
    var blockingCall: StaticString?
    /// The longest step so far; 0 before the end of the first.
    var longestStep: Double
  }

  private struct State {
    var step: Int?
    var phase = ActivityPhase.startUp
    var operation: CollectiveOperation?
    var operationBegan = 0.0
    var blockingCall: StaticString?
    var overlaps = false
    /// What is before this moment is no wait, or is counted already.
    var countsFrom = 0.0
    var stepBegan = 0.0
    var longestStep = 0.0
    var progress: UInt64 = 0
    var waited = 0.0
    /// The last wait that ended.
    var lastWait = 0.0
    var lastPeer: Int?
    /// By the rank that was waited for, since `takeLongestWait` was last called.
    var waitedFor = [0.0]

    func wait(now: Double) -> Double {
      operation == nil || overlaps ? 0 : max(0, now - max(operationBegan, countsFrom))
    }
  }

  private let state: Mutex<State>

  init() { state = Mutex(State()) }

  /// There are `count` ranks to wait for.
  func setRanks(_ count: Int) { state.withLock { $0.waitedFor = Array(repeating: 0, count: count) } }

  /// The step under way.
  var step: Int? {
    get { state.withLock { $0.step } }
    set {
      state.withLock {
        $0.step = newValue
        $0.stepBegan = MonotonicTime.now
        $0.progress += 1
      }
    }
  }

  var phase: ActivityPhase {
    get { state.withLock { $0.phase } }
    set {
      state.withLock {
        // What follows the reduction takes no rank long.
        if $0.phase == .reduction && newValue == .update {
          $0.longestStep = max($0.longestStep, MonotonicTime.now - $0.stepBegan)
        }
        $0.phase = newValue
        $0.progress += 1
      }
    }
  }

  /// Whether operations run beside computation, so that their waits cost nothing.
  var overlaps: Bool {
    get { state.withLock { $0.overlaps } }
    set {
      state.withLock {
        $0.overlaps = newValue
        if !newValue { $0.countsFrom = MonotonicTime.now }
      }
    }
  }

  func begin(_ operation: CollectiveOperation) {
    state.withLock {
      $0.operation = operation
      $0.operationBegan = MonotonicTime.now
      $0.progress += 1
    }
  }

  func begin(blocking name: StaticString, _ operation: CollectiveOperation) {
    state.withLock {
      $0.blockingCall = name
      $0.operation = operation
      $0.operationBegan = MonotonicTime.now
      $0.progress += 1
    }
  }

  func end() {
    state.withLock {
      let wait = $0.wait(now: MonotonicTime.now)
      $0.waited += wait
      $0.lastWait = wait
      $0.lastPeer = $0.operation?.peer
      if let peer = $0.lastPeer { $0.waitedFor[peer] += wait }
      $0.operation = nil
      $0.blockingCall = nil
      $0.progress += 1
    }
  }

  /// This process was stopped for `seconds` until now: if it was waiting, it was not for others.
  func discountPause(_ seconds: Double) {
    state.withLock {
      if $0.wait(now: MonotonicTime.now) >= seconds {
        $0.countsFrom = max($0.operationBegan, $0.countsFrom) + seconds
      } else if $0.lastWait >= seconds {
        // The wait ended before the watchdog woke up.
        $0.waited -= seconds
        $0.lastWait -= seconds
        if let peer = $0.lastPeer { $0.waitedFor[peer] = max(0, $0.waitedFor[peer] - seconds) }
      }
    }
  }

  var snapshot: Snapshot {
    state.withLock {
      Snapshot(
        position: RankPosition(step: $0.step, phase: $0.phase, operation: $0.overlaps ? nil : $0.operation),
        isWaiting: $0.operation != nil && !$0.overlaps, operationBegan: $0.operationBegan, progress: $0.progress,
        waited: $0.waited + $0.wait(now: MonotonicTime.now), blockingCall: $0.blockingCall,
        longestStep: $0.longestStep)
    }
  }

  /// The rank that was waited for longest since the last call, and for how many seconds.
  func takeLongestWait() -> (peer: Int, seconds: Double) {
    state.withLock { state in
      let now = MonotonicTime.now
      let wait = state.wait(now: now)
      if wait > 0, let peer = state.operation?.peer {
        // What goes on is counted up to here, and from here on next time.
        state.waitedFor[peer] += wait
        state.waited += wait
        state.countsFrom = now
      }
      var longest = (peer: 0, seconds: 0.0)
      for peer in state.waitedFor.indices {
        if state.waitedFor[peer] > longest.seconds { longest = (peer, state.waitedFor[peer]) }
        state.waitedFor[peer] = 0
      }
      return longest
    }
  }
}
