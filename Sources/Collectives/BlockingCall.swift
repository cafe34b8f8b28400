import Foundation

/// The few calls of MPI that block and have no form that can be polled: start, end, abort.
public enum BlockingCall {
  /// Exit code when such a call does not return: EX_TEMPFAIL, worth another try.
  public static let exitCode: Int32 = 76

  /// Runs `call`; if it has not returned after `seconds`, says so on standard error and ends the process, which makes the
  /// launcher end the job.
  static func run<Result>(
    _ name: String, seconds: Double, exitCode: Int32 = exitCode, _ call: () -> Result
  ) -> Result {
    let guardian = Guardian()
    let deadline = Date(timeIntervalSinceNow: seconds)
    Thread.detachNewThread {
      guard !guardian.waitUntilDone(before: deadline) else { return }
      FileHandle.standardError.write(
        Data("\(name) did not return within \(seconds) s: another rank or the launcher is gone\n".utf8))
      _exit(exitCode)
    }
    defer { guardian.done() }
    return call()
  }

  /// Sendable because `isDone` is read and written under the condition's lock only.
  private final class Guardian: @unchecked Sendable {
    private let condition = NSCondition()
    private var isDone = false

    func done() {
      condition.lock()
      isDone = true
      condition.signal()
      condition.unlock()
    }

    func waitUntilDone(before deadline: Date) -> Bool {
      condition.lock()
      defer { condition.unlock() }
      while !isDone && condition.wait(until: deadline) {}
      return isDone
    }
  }
}
