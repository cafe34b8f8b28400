import Configuration
import Foundation
import Logging

/// What a user sees of a run while it goes: on a terminal one line, rewritten, or a live view; elsewhere a line now and
/// then.
package struct TrainingProgress {
  private enum Display {
    case nothing
    case plainLines
    case rewrittenLine
    case panel
  }

  private let display: Display
  private let interval: Int
  private let log: Logger
  private var panel: ProgressPanel
  private var stepStarted = ContinuousClock.now
  private var secondsPerStep: Double?
  private var lastShown = ContinuousClock.now
  private var step: Int
  private var hasLine = false

  private var totalSteps: Int { panel.totalSteps }

  /// Images trained on per second, lately.
  private(set) var imagesPerSecond = 0.0
  /// How long the last step took.
  private(set) var lastStepSeconds = 0.0

  /// The progress of a run with `configuration` that goes on at `firstStep`. An epoch has `stepsPerEpoch` steps.
  init(
    _ configuration: RunConfiguration, firstStep: Int, totalSteps: Int, stepsPerEpoch: Int, isShown: Bool, log: Logger
  ) {
    interval = configuration.run.logEverySteps
    display =
      switch configuration.run.progress {
      case _ where !isShown: .nothing
      case .off: .nothing
      case .plain: .plainLines
      case .auto: Terminal.isAttached ? .rewrittenLine : .plainLines
      case .rich: Terminal.isAttached ? .panel : .plainLines
      }
    self.log = log
    panel = ProgressPanel(
      name: configuration.name, totalSteps: totalSteps, stepsPerEpoch: stepsPerEpoch,
      evaluationInterval: configuration.evaluation.everySteps)
    step = firstStep
  }

  /// A step begins: evaluations and checkpoints since the last one are no part of its time.
  mutating func stepBegins() { stepStarted = .now }

  /// Counts a step of `images` images. The first step of a run, which warms up caches, is soon forgotten.
  mutating func stepDone(images: Int) {
    let seconds = stepStarted.duration(to: .now) / .seconds(1)
    lastStepSeconds = seconds
    step += 1
    secondsPerStep = secondsPerStep.map { 0.9 * $0 + 0.1 * seconds } ?? seconds
    imagesPerSecond = Double(images) / (secondsPerStep ?? seconds)
  }

  /// The run goes on from an earlier `step`.
  mutating func goBack(to step: Int) { self.step = step }

  /// Shows the state after a step; `loads` are what the live view shows of the ranks.
  mutating func show(_ record: StepRecord, loads: [RankLoad] = []) {
    let left = Double(totalSteps - step) * (secondsPerStep ?? 0)
    switch display {
    case .nothing: return
    case .plainLines:
      if step % interval == 0 || step == totalSteps { log.info("\(line(record, secondsLeft: left))") }
    case .rewrittenLine:
      guard isTimeToShow || step == totalSteps else { return }
      lastShown = .now
      Terminal.rewrite(line(record, secondsLeft: left))
      hasLine = true
    case .panel:
      panel.record = record
      panel.secondsLeft = left
      panel.loads = loads
      panel.evaluation = nil
      if isTimeToShow || step == totalSteps { drawPanel() }
    }
  }

  /// Shows that an evaluation has counted `done` of `total` images.
  mutating func showEvaluation(_ done: Int, of total: Int) {
    guard case .panel = display else { return }
    panel.evaluation = (done, total)
    if isTimeToShow || done == total { drawPanel() }
  }

  /// Ends the line on a terminal, so that something else can be written. The live view leaves room above itself.
  mutating func clear() {
    guard case .rewrittenLine = display, hasLine else { return }
    Terminal.endLine()
    hasLine = false
  }

  /// Leaves what is shown as it is, at the end.
  mutating func finish() {
    clear()
    guard hasLine else { return }
    // Drawn once more: what was logged since may have moved into it.
    drawPanel()
    Terminal.leave(lines: panel.lines(width: Terminal.width).count)
    hasLine = false
  }

  private var isTimeToShow: Bool { lastShown.duration(to: .now) > .milliseconds(100) }

  private mutating func drawPanel() {
    lastShown = .now
    hasLine = true
    Terminal.draw(panel.lines(width: Terminal.width))
  }

  private func line(_ record: StepRecord, secondsLeft: Double) -> String {
    "step \(record.step)/\(totalSteps)  epoch \(record.epoch)  \(Self.number(record.nats, 2)) nats  "
      + "\(Self.number(record.bitsPerDimension, 4)) bpd  \(Self.number(imagesPerSecond, 1)) img/s  "
      + "\(Self.duration(secondsLeft)) left"
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

  /// Characters of a line.
  ///
  /// The launch script says, as for `isAttached`.
  static var width: Int {
    if let columns = ProcessInfo.processInfo.environment["LMCONV_COLUMNS"].flatMap({ Int($0) }), columns > 0 {
      return columns
    }
    var size = winsize()
    return ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_col > 0 ? Int(size.ws_col) : 80
  }

  /// Draws `lines` below an empty one, which the cursor stays on: what is written there next moves on into the lines, and
  /// the next drawing begins after it.
  static func draw(_ lines: [String]) {
    write("\r\u{1B}[J\n" + lines.joined(separator: "\n") + "\u{1B}[\(lines.count)A\r")
  }

  /// Leaves `lines` drawn lines as they are.
  static func leave(lines: Int) { write("\u{1B}[\(lines)B\n") }

  private static func write(_ text: String) { FileHandle.standardError.write(Data(text.utf8)) }
}
