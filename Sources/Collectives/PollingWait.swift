import Foundation

/// Patience between two looks at something that another rank or thread must do first: looks at once for a moment, then
/// lets others run, then sleeps, so that ranks which share a core and our own compute threads are not starved.
struct PollingWait {
  /// Seconds waited so far. A look adds a second at most: when the whole machine was paused, that is no one's silence.
  private(set) var seconds = 0.0
  private var looks = 0
  private var last = SuspendingClock.now

  /// Call after each look in vain.
  mutating func pause() {
    looks += 1
    if looks > 400 {
      usleep(looks < 500 ? 20 : 200)
    } else if looks > 200 {
      sched_yield()
    }
    let now = SuspendingClock.now
    let (whole, fraction) = (now - last).components
    seconds += min(Double(whole) + Double(fraction) * 1e-18, 1)
    last = now
  }
}
