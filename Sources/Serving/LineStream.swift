import FlyingSocks
import Foundation
import Synchronization

/// Lines from the thread that computes them to the connection that sends them.
///
/// Nothing is thrown away and the thread never waits for the connection, so that a slow client does not hold a slot: a
/// completion's lines are a fixed number for each pixel. When nobody reads any more, the thread is told to give up.
package final class LineStream: Sendable {
  private struct State {
    var pending: [UInt8] = []
    var isEnded = false
    var isAbandoned = false
    var waiter: CheckedContinuation<Void, Never>?

    /// What waits to be woken up.
    mutating func takeWaiter() -> CheckedContinuation<Void, Never>? {
      defer { waiter = nil }
      return waiter
    }
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether nobody will read what is still appended.
  package var isAbandoned: Bool { state.withLock { $0.isAbandoned } }

  /// Adds `value` as a line of JSON.
  ///
  /// - Throws: when it is not finite.
  package func append(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    let line = try encoder.encode(value) + Data([0x0A])
    let waiter = state.withLock { state in
      state.pending += line
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// There are no more lines.
  package func end() {
    let waiter = state.withLock { state in
      state.isEnded = true
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  fileprivate func abandon() {
    let waiter = state.withLock { state in
      state.isAbandoned = true
      return state.takeWaiter()
    }
    waiter?.resume()
  }

  /// All that has come, after waiting for it; nil at the end.
  fileprivate func next() async -> [UInt8]? {
    await withTaskCancellationHandler {
      while true {
        let (bytes, isOver) = state.withLock { state in
          defer { state.pending = [] }
          return (state.pending, state.isEnded || state.isAbandoned)
        }
        if !bytes.isEmpty { return bytes }
        if isOver { return nil }
        await withCheckedContinuation { continuation in
          let isReady = state.withLock { state in
            guard state.pending.isEmpty && !state.isEnded && !state.isAbandoned else { return true }
            state.waiter = continuation
            return false
          }
          if isReady { continuation.resume() }
        }
      }
    } onCancel: {
      abandon()
    }
  }

  /// What the connection sends. When the last copy of it and of its iterators goes, before the end or after it, nobody
  /// reads any more.
  package struct Body: AsyncBufferedSequence {
    package typealias Element = UInt8
    private let reader: Reader

    package init(_ stream: LineStream) { reader = Reader(stream) }

    package func makeAsyncIterator() -> Iterator { Iterator(reader: reader) }

    package struct Iterator: AsyncBufferedIteratorProtocol {
      fileprivate let reader: Reader

      package func next() async -> UInt8? { preconditionFailure("LineStream: connections read buffers") }

      package func nextBuffer(suggested count: Int) async -> [UInt8]? { await reader.stream.next() }
    }

    fileprivate final class Reader: Sendable {
      let stream: LineStream

      init(_ stream: LineStream) { self.stream = stream }

      deinit { stream.abandon() }
    }
  }
}
