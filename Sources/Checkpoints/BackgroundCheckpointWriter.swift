import Dispatch
import Synchronization

/// Writes checkpoints on a thread of its own while training goes on, one at a time.
///
/// Not sendable: submitting and finishing belong to the thread that trains. At the end of a run `finish()` must be
/// called, or the last checkpoint may be lost.
public final class BackgroundCheckpointWriter {
  /// The outcome of the last write, until it is fetched.
  private final class Outcome: Sendable {
    let result = Mutex<Result<WrittenCheckpoint, CheckpointError>?>(nil)
  }

  private let writer: CheckpointWriter
  private let queue = DispatchQueue(label: "checkpoint writer", qos: .utility)
  private let outcome = Outcome()
  // Of the write that has not been fetched.
  private var step: Int?
  private let underWay = DispatchGroup()

  /// Writes through `writer`.
  public init(_ writer: CheckpointWriter) { self.writer = writer }

  /// The checkpoint that is being written at this moment; nil if none is.
  public var pathUnderWay: String? {
    guard let step, underWay.wait(timeout: .now()) == .timedOut else { return nil }
    return writer.store.path(step: step)
  }

  /// Waits until nothing is being written, but no longer than `duration`.
  public func wait(atMost duration: DispatchTimeInterval) { _ = underWay.wait(timeout: .now() + duration) }

  /// Waits for the previous write, then starts writing `contents` and returns what the previous one did, if there was one
  /// that has not been fetched yet.
  ///
  /// - Throws: when the previous write did not succeed; `contents` is then not written.
  @discardableResult
  public func submit(_ contents: CheckpointContents) throws(CheckpointError) -> WrittenCheckpoint? {
    let previous = try finish()
    step = contents.state.step
    underWay.enter()
    queue.async { [writer, outcome, underWay] in
      let result = Result { () throws(CheckpointError) in try writer.write(contents) }
      outcome.result.withLock { $0 = result }
      underWay.leave()
    }
    return previous
  }

  /// What the last write did, if it is done and that has not been fetched yet; does not wait.
  ///
  /// - Throws: when it did not succeed.
  public func poll() throws(CheckpointError) -> WrittenCheckpoint? {
    guard step != nil, underWay.wait(timeout: .now()) == .success else { return nil }
    return try finish()
  }

  /// Waits for the write under way and returns what it did, if that has not been fetched yet.
  ///
  /// - Throws: when it did not succeed.
  @discardableResult
  public func finish() throws(CheckpointError) -> WrittenCheckpoint? {
    underWay.wait()
    step = nil
    let result = outcome.result.withLock { result in
      defer { result = nil }
      return result
    }
    return try result?.get()
  }
}
