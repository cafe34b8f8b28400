import FlyingFox
import Foundation
import Imaging
import Logging

/// Answers requests: the page, what it needs to know, and completions.
struct CompletionService: HTTPHandler {
  private let model: ServedModel
  private let limits: ServingLimits
  private let threads: Int
  private let log: Logger
  private let guarding: RequestGuard
  private let slots: JobSlots
  private let pictures = OrderPictures()

  /// A service for clients of this machine alone (`isLoopback`) or others; each completion computes with `threads`.
  init(
    model: ServedModel, limits: ServingLimits, threads: Int, isLoopback: Bool, slots: JobSlots, log: Logger
  ) {
    self.model = model
    self.limits = limits
    self.threads = threads
    self.log = log
    self.slots = slots
    guarding = RequestGuard(isLoopback: isLoopback)
  }

  func handleRequest(_ request: HTTPRequest) async -> HTTPResponse {
    var body = RequestBody(request)
    let answer: Answer
    do {
      do { answer = try await respond(to: request, body: &body) } catch let refusal as Refusal {
        answer = try Answer(refusal)
      }
    } catch {
      log.error("\(request.method.rawValue) \(request.path): \(error)")
      answer = Answer(failure: error)
    }
    // Bytes that were not read would be taken for the next request.
    return answer.response(closing: await !body.discard())
  }

  private func respond(to request: HTTPRequest, body: inout RequestBody) async throws -> Answer {
    try guarding.check(request)
    let path = request.path
    switch path {
    case "/":
      try expect(.GET, of: request)
      return Answer(Page.html, type: "text/html; charset=utf-8")
    case "/page.css":
      try expect(.GET, of: request)
      return Answer(Page.style, type: "text/css; charset=utf-8")
    case "/page.js":
      try expect(.GET, of: request)
      return Answer(Page.script, type: "text/javascript; charset=utf-8")
    case "/api/model":
      try expect(.GET, of: request)
      return try Answer(json: model.description(limits))
    case "/api/pictures":
      try expect(.POST, of: request, content: "image/png")
      let levels = try UploadedPicture.levels(
        png: await body.read(limit: limits.uploadBytes), model: model, limits: limits)
      return try Answer(model.picture(levels))
    case "/api/orders":
      try expect(.POST, of: request, content: "application/json")
      let asked = try await completion(&body)
      return try Answer(await pictures.draw(asked))
    case "/api/completions":
      try expect(.POST, of: request, content: "application/json")
      return Answer(try start(await completion(&body)))
    default:
      guard let index = Self.exampleIndex(path) else { throw Refusal.unknownPath(path) }
      try expect(.GET, of: request)
      return try Answer(model.picture(model.example(index)))
    }
  }

  private func completion(_ body: inout RequestBody) async throws -> CompletionRequest {
    try CompletionRequest(json: await body.read(limit: limits.uploadBytes), model: model, limits: limits)
  }

  /// Starts a completion on a thread of its own: it computes without a pause, which the tasks that serve connections must
  /// not.
  private func start(_ request: CompletionRequest) throws(Refusal) -> LineStream {
    try slots.take()
    let job = CompletionJob(request: request, model: model, limits: limits, threads: threads, log: log)
    let stream = LineStream()
    let thread = Thread { [slots] in job.run(into: stream, slots: slots) }
    thread.name = "lmconv-serve"
    thread.stackSize = 4 << 20
    thread.start()
    return stream
  }

  private func expect(_ method: HTTPMethod, of request: HTTPRequest, content: String? = nil) throws(Refusal) {
    guard request.method == method else {
      throw .wrongMethod(request.method.rawValue, path: request.path, expected: method.rawValue)
    }
    guard let content else { return }
    let type = request.headers[.contentType]
    guard type?.prefix(while: { $0 != ";" }).lowercased() == content else {
      throw .wrongContent(type: type, expected: content)
    }
  }

  /// The number in `/api/examples/NUMBER.png`.
  private static func exampleIndex(_ path: String) -> Int? {
    guard path.hasPrefix("/api/examples/"), path.hasSuffix(".png") else { return nil }
    let digits = path.dropFirst("/api/examples/".count).dropLast(".png".count)
    return digits.allSatisfy { ("0"..."9").contains($0) } ? Int(digits) : nil
  }
}

/// Pictures of orders, drawn one at a time.
private actor OrderPictures {
  /// How large a picture's longer side is, if its cells can be that small.
  private static let side = 560

  func draw(_ request: CompletionRequest) -> PNGImage {
    let order = request.pixelOrder
    let longest = max(order.size.rows, order.size.columns)
    return OrderPicture.draw(order, cellSide: min(max(Self.side / longest, 3), 20))
  }
}
