import FlyingFox
import FlyingSocks
import Foundation
import Imaging

/// What a request is answered with.
struct Answer: Sendable {
  private enum Body: Sendable {
    case bytes([UInt8])
    case lines(LineStream.Body)
  }

  private let status: HTTPStatusCode
  private let type: String
  private let body: Body
  private var headers: [HTTPHeader: String] = [:]

  /// `bytes` of the content type `type`.
  init(_ bytes: [UInt8], type: String) {
    self.init(status: .ok, type: type, body: .bytes(bytes))
  }

  /// `value` as JSON.
  init(json value: some Encodable) throws {
    self.init(try Self.encode(value), type: "application/json")
  }

  /// `picture` as a PNG file.
  init(_ picture: PNGImage) throws {
    self.init(try picture.encoded(), type: "image/png")
  }

  /// The lines of `stream` as they come.
  init(_ stream: LineStream) {
    self.init(status: .ok, type: "application/x-ndjson", body: .lines(LineStream.Body(stream)))
  }

  /// The reason of `refusal` as JSON.
  init(_ refusal: Refusal) throws {
    self.init(
      status: refusal.status, type: "application/json", body: .bytes(try Self.encode(["error": "\(refusal)"])))
    switch refusal {
    case .busy(_, let seconds): headers[HTTPHeader("Retry-After")] = "\(seconds)"
    case .wrongMethod(_, _, let expected): headers[HTTPHeader("Allow")] = expected
    default: break
    }
  }

  /// Something went wrong that is not the client's fault.
  init(failure: any Error) {
    self.init(status: .internalServerError, type: "text/plain; charset=utf-8", body: .bytes(Array("\(failure)".utf8)))
  }

  private init(status: HTTPStatusCode, type: String, body: Body) {
    self.status = status
    self.type = type
    self.body = body
  }

  private static func encode(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return [UInt8](try encoder.encode(value)) + [0x0A]
  }

  /// The response; with `closing`, the connection ends after it, because what else would come on it is not a request.
  func response(closing: Bool) -> HTTPResponse {
    var all = headers
    all[.contentType] = type
    all[.cacheControl] = "no-store"
    // The page needs nothing but what this server has, and no other page may use it.
    all[HTTPHeader("Content-Security-Policy")] =
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
      + "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    all[HTTPHeader("Cross-Origin-Resource-Policy")] = "same-origin"
    all[HTTPHeader("Referrer-Policy")] = "no-referrer"
    all[HTTPHeader("X-Content-Type-Options")] = "nosniff"
    if closing { all[.connection] = "close" }
    let sequence: HTTPBodySequence
    switch body {
    case .lines(let lines): sequence = HTTPBodySequence(from: lines)
    case .bytes(let bytes):
      sequence =
        closing
        ? HTTPBodySequence(from: ClosingBody(bytes: bytes), count: bytes.count)
        : HTTPBodySequence(data: Data(bytes))
    }
    return HTTPResponse(statusCode: status, headers: HTTPHeaders(all), body: sequence)
  }

  /// Bytes after which the connection ends: an error where FlyingFox asks for more makes it close the connection.
  private struct ClosingBody: AsyncBufferedSequence {
    typealias Element = UInt8
    let bytes: [UInt8]

    struct End: Error {}

    func makeAsyncIterator() -> Iterator { Iterator(bytes: bytes) }

    struct Iterator: AsyncBufferedIteratorProtocol {
      var bytes: [UInt8]?

      func next() async -> UInt8? { preconditionFailure("Answer: connections read buffers") }

      mutating func nextBuffer(suggested count: Int) async throws -> [UInt8]? {
        guard let bytes else { throw End() }
        self.bytes = nil
        return bytes
      }
    }
  }
}
