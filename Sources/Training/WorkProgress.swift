import Logging

/// What a user sees of work that is no training: a bar, rewritten on a terminal; elsewhere a line now and then.
package struct WorkProgress {
  private static let barWidth = 30
  private let name: String
  private let unit: String
  private let total: Int
  private let isShown: Bool
  private let log: Logger
  private let started = ContinuousClock.now
  private var lastShown = ContinuousClock.now
  private var hasLine = false

  /// The progress of `total` units of the work called `name`, as in "generating" pixels.
  package init(_ name: String, unit: String, total: Int, isShown: Bool, log: Logger) {
    self.name = name
    self.unit = unit
    self.total = total
    self.isShown = isShown
    self.log = log
  }

  /// Shows that `done` units are done, unless something was shown just before. Work that takes less than a second shows
  /// nothing, on a terminal; less than ten elsewhere.
  package mutating func show(_ done: Int) {
    guard isShown, done > 0 else { return }
    let now = ContinuousClock.now
    guard Terminal.isAttached else {
      guard lastShown.duration(to: now) >= .seconds(10) else { return }
      lastShown = now
      return log.info("\(line(done, seconds: started.duration(to: now) / .seconds(1)))")
    }
    let pause: Duration = hasLine ? .milliseconds(100) : .seconds(1)
    guard lastShown.duration(to: now) >= pause else { return }
    lastShown = now
    hasLine = true
    Terminal.rewrite(line(done, seconds: started.duration(to: now) / .seconds(1)))
  }

  /// Ends the line on a terminal, so that something else can be written.
  package mutating func clear() {
    if hasLine { Terminal.endLine() }
    hasLine = false
  }

  /// `generating [######..............] 200/784 pixels  0:12 left`, after `seconds`.
  package func line(_ done: Int, seconds: Double) -> String {
    let filled = Self.barWidth * done / max(total, 1)
    let bar = String(repeating: "#", count: filled) + String(repeating: ".", count: Self.barWidth - filled)
    let left = seconds / Double(max(done, 1)) * Double(total - done)
    return "\(name) [\(bar)] \(done)/\(total) \(unit)  \(TrainingProgress.duration(left)) left"
  }
}
