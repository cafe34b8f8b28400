import Foundation
import Imaging
import Orders
import Testing

/// What `serve` says of requests that it does not answer.
struct ServeRefusalTests {
  private static let json = ["Content-Type": "application/json"]
  private static let png = ["Content-Type": "image/png"]
  private static let size = ImageSize(rows: 8, columns: 8)
  private static let rows = [[Int]](repeating: [0, 0, 0, 0, 1, 1, 1, 1], count: 8)
  private static let orders =
    "an order is a variant 0 to 7, one of raster_scan, s_curve, hilbert, gilbert2d, s_curve_center_quarter_last perhaps with "
    + "/VARIANT, or random/INDEX perhaps with @SEED"

  private func expect(
    _ server: Server, _ status: Int, _ message: String, _ method: String, _ path: String,
    headers: [String: String] = [:], body: [UInt8] = [], sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    let answer = try server.answer(method, path, headers: headers, body: body)
    #expect(answer.status == status, sourceLocation: sourceLocation)
    #expect(answer.headers["content-type"] == "application/json", sourceLocation: sourceLocation)
    #expect(try answer.error == message, sourceLocation: sourceLocation)
  }

  @Test func otherSitesAreRefused() throws {
    let server = try Server(in: try SmallRun.trained())
    for host in ["evil.example", "evil.example:\(server.port)", "127.0.0.1.evil.example", "[::2]:80"] {
      try expect(
        server, 403, "the request is for '\(host)'; this server answers to localhost, 127.0.0.1 and [::1]", "GET", "/",
        headers: ["Host": host])
    }
    try expect(
      server, 403, "the request is for no host; this server answers to localhost, 127.0.0.1 and [::1]", "GET", "/",
      headers: ["Host": ""])
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
      try expect(
        server, 403, "the request was made by a page of \(origin), not by this server's own", "POST",
        "/api/completions", headers: ["Origin": origin, "Content-Type": "application/json"])
    }
    try expect(
      server, 403, "the request was made by a page of another site, not by this server's own", "GET", "/api/model",
      headers: ["Sec-Fetch-Site": "cross-site"])
    // The page itself, links to it, tunnels and this server's own requests.
    for headers in [
      ["Host": "localhost:9000"], ["Host": "[::1]:80"], ["Sec-Fetch-Site": "cross-site"],
      ["Host": "localhost:9000", "Origin": "http://localhost:9000", "Sec-Fetch-Site": "same-origin"],
    ] { #expect(try server.answer("GET", "/", headers: headers).status == 200, "\(headers)") }
  }

  @Test func wrongPathsAndMethodsAreTold() throws {
    let server = try Server(in: try SmallRun.trained())
    try expect(server, 404, "there is nothing at /favicon.ico", "GET", "/favicon.ico")
    try expect(server, 404, "there is nothing at /api/examples/x.png", "GET", "/api/examples/x.png")
    try expect(
      server, 404, "there is no example 6; there are 6, counted from 0", "GET", "/api/examples/6.png")
    try expect(server, 405, "/ takes GET, not POST", "POST", "/")
    try expect(server, 405, "/api/completions takes POST, not GET", "GET", "/api/completions")
    #expect(try server.answer("GET", "/api/orders").headers["allow"] == "POST")
  }

  @Test func uploadsThatCannotBeReadAreTold() throws {
    let server = try Server(in: try SmallRun.trained(), ["--max-upload", "20"])
    let path = "/api/pictures"
    let picture = PNGImage(size: Self.size, color: [255])
    try expect(
      server, 415, "the body is 'text/plain', expected Content-Type image/png", "POST", path,
      headers: ["Content-Type": "text/plain"])
    try expect(server, 415, "the body is of no type, expected Content-Type image/png", "POST", path)
    try expect(
      server, 422, "the picture: not a readable PNG file: Not a PNG file", "POST", path, headers: Self.png,
      body: Array("GIF89a, not a PNG file".utf8))
    let cut = try server.answer("POST", path, headers: Self.png, body: Array(try picture.encoded().dropLast(30)))
    #expect(cut.status == 422)
    #expect(try cut.error?.hasPrefix("the picture: not a readable PNG file: ") == true)
    try expect(
      server, 422, "the picture has 9x8 pixels, this model completes pictures of 8x8", "POST", path, headers: Self.png,
      body: try PNGImage(size: ImageSize(rows: 9, columns: 8), color: [0]).encoded())
    var clear = PNGImage(size: Self.size, color: [255, 255])
    clear[2, 5] = [255, 254]
    try expect(
      server, 422, "pixel (2, 5) of the picture is transparent; save it without transparency", "POST", path,
      headers: Self.png, body: try clear.encoded())
    // A small file with a large picture is not decoded.
    let bomb = try PNGImage(size: ImageSize(rows: 3000, columns: 3000), color: [0]).encoded()
    #expect(bomb.count < 20_000)
    try expect(
      server, 422, "the picture: a picture of 3000x3000 pixels, the limit is 4194304 pixels", "POST", path,
      headers: Self.png, body: bomb)
    try expect(
      server, 413, "the upload has 20001 bytes, the limit is 20000", "POST", path, headers: Self.png,
      body: [UInt8](repeating: 0, count: 20_001))
    try expect(
      server, 411, "the request does not say how long its body is; send Content-Length", "POST", path,
      headers: ["Content-Type": "image/png", "Content-Length": "", "Transfer-Encoding": "chunked"],
      body: Array("3\r\nabc\r\n0\r\n\r\n".utf8))
  }

  /// What was not read of a refused request's body is not taken for a request.
  @Test func bodiesThatAreRefusedAreNotRequests() throws {
    let server = try Server(in: try SmallRun.trained(), ["--max-upload", "20"])
    let hidden = Array("GET /api/model HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".utf8)
    let body = [UInt8](repeating: 0x0A, count: 30_000) + hidden
    let connection = try HTTPConnection(port: server.port)
    try connection.send(
      "POST", "/api/pictures", headers: ["Content-Type": "image/png", "Connection": "keep-alive"], body: body)
    #expect(try HTTPAnswer.head(from: connection).status == 413)
    // The connection lives on, for what really comes next.
    try connection.send("GET", "/nothing")
    let rest = String(decoding: try connection.rest(), as: UTF8.self)
    #expect(rest.components(separatedBy: "HTTP/1.1 ").count == 2, "\(rest)")
    #expect(rest.contains("there is nothing at /nothing"))

    // One whose body is too large even to be thrown away ends.
    let other = try HTTPConnection(port: server.port)
    try other.send(
      "POST", "/api/pictures",
      headers: ["Content-Type": "image/png", "Connection": "keep-alive", "Content-Length": "100000000"])
    // As much as is thrown away: more might be refused while it is sent.
    for _ in 0..<64 { try other.send([UInt8](repeating: 0x0A, count: 1 << 20)) }
    #expect(try HTTPAnswer.head(from: other).status == 413)
    #expect(throws: (any Error).self) { while true { try other.send([0x0A]) } }
  }

  @Test func wrongRequestsForCompletionsAreTold() throws {
    let server = try Server(in: try SmallRun.trained(), ["--max-samples", "4"])
    let forms = "rows of 0 and 1, 1 where a pixel is missing, or a PNG file in base64 with missing pixels dark"
    let keys = "image, example, missing, order, samples, temperature, seed"
    func whole(_ changes: [String: Any]) -> [String: Any] {
      ["example": 0, "missing": Self.rows].merging(changes) { $1 }
    }
    let wide = try PNGImage(size: ImageSize(rows: 8, columns: 9), color: [0]).encoded()
    let refusals: [(status: Int, message: String, fields: [String: Any])] = [
      (400, "'missing' must be \(forms)", ["example": 0]),
      (400, "'missing' must be \(forms)", whole(["missing": 5])),
      (400, "'missing' must be \(forms)", whole(["missing": "no base64!"])),
      (
        400, "'missing' must be \(forms)",
        whole(["missing": [[Int]](repeating: [Int](repeating: 2, count: 8), count: 8)])
      ),
      (422, "'missing' has 7 rows, the image 8", whole(["missing": Self.rows.dropLast() as [Any]])),
      (
        422, "row 7 of 'missing' has 1 values, the image 8 columns",
        whole(["missing": (Self.rows.dropLast() + [[1]]) as [Any]])
      ),
      (422, "no pixel is missing; paint some out", whole(["missing": Self.rows.map { $0.map { _ in 0 } }])),
      (
        422, "the mask: a mask of 8x9 pixels, the images have 8x8",
        whole(["missing": Data(wide).base64EncodedString()])
      ),
      (
        422, "pixels are observed, but there is no image; give 'image' or 'example', or miss all pixels",
        ["missing": Self.rows]
      ),
      (422, "give 'image' or 'example', not both", whole(["image": Data(wide).base64EncodedString()])),
      (
        422, "the picture has 8x9 pixels, this model completes pictures of 8x8",
        ["image": Data(wide).base64EncodedString(), "missing": Self.rows]
      ),
      (400, "'image' must be a PNG file in base64", ["image": "?", "missing": Self.rows]),
      (404, "there is no example -1; there are 6, counted from 0", whole(["example": -1])),
      (400, "'example' must be the number of a test image", whole(["example": "0"])),
      (422, "'spiral' is no order; \(Self.orders)", whole(["order": "spiral"])),
      (422, "'random:2' is no order; \(Self.orders)", whole(["order": "random:2"])),
      // Files of this machine are nothing that requests may read.
      (422, "'small.yaml' is no order; \(Self.orders)", whole(["order": "small.yaml"])),
      (400, "'samples' must be from 1 to 4, it is 5", whole(["samples": 5])),
      (400, "'samples' must be a whole number", whole(["samples": 1.5])),
      (400, "'temperature' must be at least 0, it is -0.5", whole(["temperature": -0.5])),
      (400, "'seed' must be a whole number below 2^64, or its digits as a text", whole(["seed": -1])),
      (
        400, "'seed' must be a whole number below 2^64, or its digits as a text",
        whole(["seed": "18446744073709551616"])
      ),
      (400, "'colour' is unknown; known are \(keys)", whole(["colour": 1])),
    ]
    for path in ["/api/completions", "/api/orders"] {
      for refusal in refusals {
        let answer = try server.answer(path, refusal.fields)
        #expect(answer.status == refusal.status, "\(refusal.fields)")
        #expect(try answer.error == refusal.message)
      }
      for (body, message) in [
        ("", "the body is not JSON: it is empty"), ("[1]", "the body is not JSON: expected an object of \(keys)"),
        ("{\"samples\": ", "the body is not JSON: expected an object of \(keys)"),
        (String(repeating: "[", count: 100_000), "the body is not JSON: expected an object of \(keys)"),
      ] {
        try expect(server, 400, message, "POST", path, headers: Self.json, body: Array(body.utf8))
      }
    }
    #expect(try server.answer("/api/completions", whole([:])).status == 200)
  }
}
