import FlyingFox
import Foundation

/// The bytes that come after a request's headers, read once.
struct RequestBody {
  /// What the request announces; nil when it does not.
  private let announced: Int?
  private var iterator: HTTPBodySequence.Iterator
  private var received = 0
  private var isWhole = false
  private var isBroken = false

  init(_ request: HTTPRequest) {
    announced = request.bodySequence.count
    iterator = request.bodySequence.makeAsyncIterator()
  }

  /// All bytes, at most `limit`.
  ///
  /// - Throws: when there are more, their number is not announced, or they do not come in time.
  mutating func read(limit: Int) async throws(Refusal) -> [UInt8] {
    guard let announced else { throw .withoutLength }
    guard announced <= limit else { throw .tooLarge(bytes: announced, limit: limit) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(announced)
    let end = ContinuousClock.now + .seconds(ServingLimits.uploadSeconds)
    while let part = await next() {
      bytes += part
      guard ContinuousClock.now < end else { break }
    }
    guard isWhole && bytes.count == announced else { throw .slowUpload(bytes: announced, received: bytes.count) }
    return bytes
  }

  /// Reads what is left, if it is not much: a client that is still sending does not see the answer. Whether the body is
  /// then at its end.
  mutating func discard() async -> Bool {
    let end = ContinuousClock.now + .seconds(ServingLimits.uploadSeconds)
    while !isWhole, received < Self.mostDiscarded, ContinuousClock.now < end, await next() != nil {}
    return isWhole
  }

  private static let mostDiscarded = 64 << 20

  /// The next bytes; nil at the end, or when the connection is lost.
  private mutating func next() async -> Data? {
    guard !isWhole && !isBroken else { return nil }
    guard received < announced ?? .max else {
      isWhole = true
      return nil
    }
    let part: Data?
    // A body that breaks off is not whole; there is nobody to tell why.
    do { part = try await iterator.next() } catch {
      part = nil
      isBroken = true
    }
    guard let part else {
      isWhole = !isBroken
      return nil
    }
    received += part.count
    return part
  }
}
