import Foundation
import Synchronization

/// Whether somebody asked this process to stop, by SIGINT, SIGTERM, SIGUSR1 or SIGUSR2.
///
/// The first signal asks for an orderly end: the step under way is finished, a checkpoint written. The second ends the
/// process at once, unless it is but another delivery of the first.
///
/// A signal handler notes them, on whatever thread the system chooses. Blocking the signals, to read them from a descriptor or
/// with `sigwait`, would not do: libraries start threads before `main`, as OpenBLAS does, which do not block them and on which
/// the process would end.
public final class StopSignal: Sendable {
  /// Exit code of a process that a second signal ended at once.
  public static let immediateExitCode: Int32 = 130

  /// Launchers and schedulers may deliver one request several times, in several ways. What follows the first signal by less
  /// than this is a second request only if it is what people send again: the same SIGINT or SIGTERM.
  private static let sameRequestMilliseconds: UInt64 = 3000

  /// The first signal: its time in milliseconds, times 256, and its number; 0 before. Signals are the process's, and so is
  /// this.
  private static let first = Atomic<UInt64>(0)

  /// Starts to listen.
  public init() {
    // Makes what the handler uses.
    _ = isReceived
    let numbers = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2]
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { StopSignal.note($0) }
    action.sa_flags = SA_RESTART
    var listened = sigset_t()
    sigemptyset(&listened)
    for number in numbers { sigaddset(&listened, number) }
    action.sa_mask = listened
    for number in numbers { sigaction(number, &action, nil) }
    // Who started this process may have blocked them.
    pthread_sigmask(SIG_UNBLOCK, &listened, nil)
  }

  /// Whether a signal has come.
  public var isReceived: Bool { Self.first.load(ordering: .relaxed) != 0 }

  /// What the handler does: only what is safe in one.
  private static func note(_ number: Int32) {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    let now = UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    let (isFirst, earlier) = first.compareExchange(
      expected: 0, desired: now << 8 | UInt64(number), ordering: .sequentiallyConsistent)
    guard !isFirst else { return }
    let isRepeated = earlier & 0xFF == UInt64(number) && (number == SIGINT || number == SIGTERM)
    if isRepeated || now > (earlier >> 8) + sameRequestMilliseconds { _exit(immediateExitCode) }
  }
}
