import Synchronization

/// How many completions run, and the request that they end.
final class JobSlots: Sendable {
  private struct State {
    var running = 0
    var isStopping = false
    /// How long the completion took that ended last: what the next ones are likely to take.
    var lastSeconds = 1.0
  }

  private let limit: Int
  private let state = Mutex(State())

  init(limit: Int) { self.limit = limit }

  /// Whether all completions are asked to end.
  var isStopping: Bool { state.withLock { $0.isStopping } }

  /// Takes a slot, to be given back by `release`.
  ///
  /// - Throws: when none is free, or the server is ending.
  func take() throws(Refusal) {
    try state.withLock { state throws(Refusal) in
      guard !state.isStopping else { throw .stopping }
      guard state.running < limit else {
        throw .busy(jobs: limit, retrySeconds: max(1, Int(state.lastSeconds.rounded(.up))))
      }
      state.running += 1
    }
  }

  /// Gives a slot back after `seconds`.
  func release(after seconds: Double) {
    state.withLock { state in
      state.running -= 1
      state.lastSeconds = seconds
    }
  }

  /// Asks all completions to end and takes no more.
  func stop() { state.withLock { $0.isStopping = true } }
}
