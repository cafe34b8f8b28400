import Dispatch
import Foundation
import Synchronization

/// Whether somebody asked this process to stop, by SIGINT, SIGTERM, SIGUSR1 or SIGUSR2.
///
/// The first signal asks for an orderly end: the step under way is finished, a checkpoint written. The second ends the
/// process at once, unless it is but another delivery of the first.
///
/// To be made before the process starts threads: from then on the signals are blocked in all of them, and none is lost
/// while what receives them is being set up.
public final class StopSignal: @unchecked Sendable {
  /// Exit code of a process that a second signal ended at once.
  public static let immediateExitCode: Int32 = 130

  /// Launchers and schedulers may deliver one request several times, in several ways. What follows the first signal by less
  /// than this is a second request only if it is what people send again: the same SIGINT or SIGTERM.
  private static let sameRequestSeconds = 3.0

  private let first = Mutex<(number: Int32, time: ContinuousClock.Instant)?>(nil)
  // Written by the initializer alone, which makes the class sendable; kept so that the sources live.
  private var sources: [any DispatchSourceSignal] = []

  /// Starts to listen.
  public init() {
    let numbers = [SIGINT, SIGTERM, SIGUSR1, SIGUSR2]
    // A blocked signal waits to be read; an ignored one is dropped if it comes before the source listens.
    var blocked = sigset_t()
    sigemptyset(&blocked)
    for number in numbers { sigaddset(&blocked, number) }
    pthread_sigmask(SIG_BLOCK, &blocked, nil)
    for number in numbers {
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global(qos: .userInteractive))
      source.setEventHandler { [unowned self] in
        first.withLock { first in
          guard let earlier = first else {
            first = (number, .now)
            return
          }
          let isRepeated = earlier.number == number && (number == SIGINT || number == SIGTERM)
          if isRepeated || earlier.time.duration(to: .now) > .seconds(Self.sameRequestSeconds) {
            _exit(Self.immediateExitCode)
          }
        }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// Whether a signal has come.
  public var isReceived: Bool { first.withLock { $0 != nil } }
}
