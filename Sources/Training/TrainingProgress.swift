import Configuration
import Foundation
import Logging

/// What a user sees of a run while it goes: one line, rewritten on a terminal, written now and then elsewhere.
package struct TrainingProgress {
  private let interval: Int
  private let isRewritten: Bool
  private let isShown: Bool
  private let totalSteps: Int
  private let log: Logger
  private var stepStarted = ContinuousClock.now
  private var secondsPerStep: Double?
  private var lastShown = ContinuousClock.now
  private var step: Int
  private var hasLine = false

  /// Images trained on per second, lately.
  private(set) var imagesPerSecond = 0.0

  /// The progress of a run that goes on at `firstStep`.
  init(_ options: RunConfiguration.RunOptions, firstStep: Int, totalSteps: Int, isShown: Bool, log: Logger) {
    interval = options.logEverySteps
    self.isShown = isShown && options.progress != .off
    isRewritten = options.progress == .auto && Terminal.isAttached
    self.totalSteps = totalSteps
    self.log = log
    step = firstStep
  }

  /// A step begins: evaluations and checkpoints since the last one are no part of its time.
  mutating func stepBegins() { stepStarted = .now }

  /// Counts a step of `images` images. The first step of a run, which warms up caches, is soon forgotten.
  mutating func stepDone(images: Int) {
    let seconds = stepStarted.duration(to: .now) / .seconds(1)
    step += 1
    secondsPerStep = secondsPerStep.map { 0.9 * $0 + 0.1 * seconds } ?? seconds
    imagesPerSecond = Double(images) / (secondsPerStep ?? seconds)
  }

  /// The run goes on from an earlier `step`.
  mutating func goBack(to step: Int) { self.step = step }

  /// Shows the state after a step.
  mutating func show(_ record: StepRecord) {
    guard isShown else { return }
    let left = Double(totalSteps - step) * (secondsPerStep ?? 0)
    let line =
      "step \(record.step)/\(totalSteps)  epoch \(record.epoch)  \(Self.number(record.nats, 2)) nats  "
      + "\(Self.number(record.bitsPerDimension, 4)) bpd  \(Self.number(imagesPerSecond, 1)) img/s  "
      + "\(Self.duration(left)) left"
    if isRewritten {
      guard lastShown.duration(to: .now) > .milliseconds(100) || step == totalSteps else { return }
      lastShown = .now
      Terminal.rewrite(line)
      hasLine = true
    } else if step % interval == 0 || step == totalSteps {
      log.info("\(line)")
    }
  }

  /// Ends the line on a terminal, so that something else can be written.
  mutating func clear() {
    if hasLine { Terminal.endLine() }
    hasLine = false
  }

  /// `value` with `digits` digits after the point.
  package static func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }

  /// `1:02:03`, or `2:03` below an hour.
  package static func duration(_ seconds: Double) -> String {
    let whole = Int(seconds.rounded())
    let minutes = String(format: whole >= 3600 ? "%02d:%02d" : "%d:%02d", whole / 60 % 60, whole % 60)
    return whole >= 3600 ? "\(whole / 3600):\(minutes)" : minutes
  }
}

/// Standard error as a terminal.
enum Terminal {
  /// Whether somebody looks at standard error.
  ///
  /// Under mpirun a rank's standard error is a pipe whatever mpirun's own is, so the launch script says.
  static var isAttached: Bool {
    switch ProcessInfo.processInfo.environment["LMCONV_TERMINAL"] {
    case "1"?: return true
    case "0"?: return false
    default: return isatty(STDERR_FILENO) == 1
    }
  }

  /// Replaces the line the cursor is on.
  static func rewrite(_ line: String) { write("\r\u{1B}[K" + line) }

  /// Leaves the line.
  static func endLine() { write("\n") }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
