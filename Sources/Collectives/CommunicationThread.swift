import Foundation

/// The thread that exchanges buckets while the backward still computes others. MPI makes no progress by itself, so somebody
/// must keep calling it.
///
/// Sendable because everything mutable is touched under the condition's lock only, except `exchange`, which only the thread
/// uses, and only between the first `markReady` of a step and the end of `finishStep`.
final class CommunicationThread: @unchecked Sendable {
  private let condition = NSCondition()
  private let bucketCount: Int
  private let exchange: BucketExchange
  private var ready = 0
  private var isFinished = false
  private var isStopping = false
  private var failure: CollectiveError?

  /// A thread that exchanges `bucketCount` buckets a step, the last of the vector first.
  init(exchange: BucketExchange, bucketCount: Int) {
    self.exchange = exchange
    self.bucketCount = bucketCount
    let thread = Thread { [self] in run() }
    thread.name = "communication"
    thread.start()
  }

  /// Announces that `count` more buckets may be exchanged.
  func markReady(_ count: Int) {
    condition.lock()
    ready += count
    condition.broadcast()
    condition.unlock()
  }

  /// Waits until all buckets of the step, which are all ready, are exchanged. The thread itself never waits for other ranks
  /// for longer than their deadline.
  func finishStep() throws(CollectiveError) {
    condition.lock()
    defer { condition.unlock() }
    while !isFinished { condition.wait() }
    if let failure { throw failure }
    ready = 0
    isFinished = false
    condition.broadcast()
  }

  /// Ends the thread once it is between two steps.
  func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    condition.unlock()
  }

  private func run() {
    while waitForReady(moreThan: 0) > 0 {
      let result: CollectiveError?
      do throws(CollectiveError) {
        try exchangeStep()
        result = nil
      } catch { result = error }
      condition.lock()
      failure = result
      isFinished = true
      condition.broadcast()
      // After an error nothing more can be exchanged: `finishStep` reports it as often as it is asked.
      while isFinished && !isStopping { condition.wait() }
      condition.unlock()
    }
  }

  private func exchangeStep() throws(CollectiveError) {
    var (started, finished) = (0, 0)
    while finished < bucketCount {
      // With something under way only look: blocking here would stop its progress.
      let ready = started == finished ? waitForReady(moreThan: started) : readyNow()
      guard ready > finished else { return }
      while started < min(ready, finished + BucketExchange.window) {
        try exchange.start(bucketCount - 1 - started)
        started += 1
      }
      try exchange.finish(bucketCount - 1 - finished)
      finished += 1
    }
  }

  private func readyNow() -> Int {
    condition.lock()
    defer { condition.unlock() }
    return ready
  }

  /// Number of buckets ready as soon as it is more than `count`, or 0 when the thread is to end.
  private func waitForReady(moreThan count: Int) -> Int {
    condition.lock()
    defer { condition.unlock() }
    while ready <= count && !isStopping { condition.wait() }
    return isStopping ? 0 : ready
  }
}
