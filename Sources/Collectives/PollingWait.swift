import Foundation

/// Patience between two looks at something that another rank or thread must do first: looks at once for a moment, then
/// lets others run, then sleeps, so that ranks which share a core and our own compute threads are not starved.
///
/// A look takes some 20 microseconds in which the library makes progress, so sleeps that stayed at a fifth of a millisecond
/// would take a tenth of a core from whoever computes beside a rank that waits. They grow to a thousandth of what was waited
/// already, which is as much as they can prolong it.
struct PollingWait {
  /// Seconds waited so far. A look adds a second at most: when the whole machine was paused, that is no one's silence.
  private(set) var seconds = 0.0
  private var looks = 0
  private var last = SuspendingClock.now

  /// Call after each look in vain.
  mutating func pause() {
    looks += 1
    if looks > 400 {
      usleep(looks < 500 ? 20 : UInt32(min(max(seconds * 1e3, 200), 5000)))
    } else if looks > 200 {
      sched_yield()
    }
    let now = SuspendingClock.now
    let (whole, fraction) = (now - last).components
    seconds += min(Double(whole) + Double(fraction) * 1e-18, 1)
    last = now
  }
}
