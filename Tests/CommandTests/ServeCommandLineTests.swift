import Foundation
import Imaging
import Orders
import Testing

/// `serve`: what it sends, and how it begins and ends.
struct ServeCommandLineTests {
  /// One line of a completion's stream.
  private struct Line: Decodable {
    struct Start: Decodable, Equatable {
      let rows: Int
      let columns: Int
      let channels: Int
      let samples: Int
      let missing: Int
      let order: String
      let temperature: Double
      let seed: String
    }

    struct End: Decodable {
      let observed: [Double]
      let completed: [Double]
    }

    let start: Start?
    let row: Int?
    let column: Int?
    let observed: Bool?
    let levels: [[UInt8]]?
    let nats: [Double]?
    let end: End?
    let error: String?
  }

  private static func lines(_ answer: HTTPAnswer) throws -> [Line] {
    try answer.text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
  }

  private static let side = SmallRun.side
  private static let size = ImageSize(rows: side, columns: side)

  /// Every third pixel of the 8 x 8 image is missing.
  private static let mask = PixelMask(size: size, isMissing: (0..<size.pixels).map { $0 % 3 == 1 })
  private static let everything = [[Int]](repeating: [Int](repeating: 1, count: side), count: side)
  /// 784 pixels, so many times that it takes seconds.
  private static var long: [String: Any] {
    ["missing": [[Int]](repeating: [Int](repeating: 1, count: 28), count: 28), "samples": 100]
  }

  // MARK: Completions

  /// The stream has the pixels that `lmconv complete` writes for the same picture, mask, order and seed, whatever form the
  /// picture and the mask come in.
  @Test func theStreamHasThePixelsOfComplete() throws {
    let folder = try SmallRun.trained()
    let picture = PNGImage(
      size: Self.size, channels: 1, pixels: (0..<Self.size.pixels).map { UInt8($0 * 53 % 256) })
    let maskPicture = PNGImage(
      size: Self.size, channels: 1, pixels: Self.mask.isMissing.map { $0 ? 0 : 255 })
    try picture.write(to: folder.path + "/mine.png")
    try maskPicture.write(to: folder.path + "/mask.png")
    let run = try Invocation.lmconv(
      [
        "complete", "run", "--images", "mine.png", "--missing", "mask.png", "--samples", "3", "--seed", "7", "--order",
        "hilbert/3", "--temperature", "0.9", "--out", "c.npy",
      ], in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    let expected = try NPYArray(contentsOf: folder.path + "/c.npy").elements

    let server = try Server(in: folder)
    let png = Data(try picture.encoded()).base64EncodedString()
    let rows = (0..<Self.side).map { row in
      (0..<Self.side).map { Self.mask.isMissing[row * Self.side + $0] ? 1 : 0 }
    }
    for (image, missing) in [
      (png, rows as Any), ("data:image/png;base64,\(png)", Data(try maskPicture.encoded()).base64EncodedString()),
    ] {
      let answer = try server.answer(
        "/api/completions",
        [
          "image": image, "missing": missing, "order": "hilbert/3", "samples": 3, "temperature": 0.9, "seed": "7",
        ])
      #expect(answer.status == 200, "\(answer.text)")
      #expect(answer.headers["content-type"] == "application/x-ndjson")
      let lines = try Self.lines(answer)
      #expect(
        lines.first?.start
          == .init(
            rows: 8, columns: 8, channels: 1, samples: 3, missing: Self.mask.missingPixels.count, order: "hilbert/3",
            temperature: 0.9, seed: "7"))
      var completed = [UInt8](repeating: 9, count: expected.count)
      var sums = (observed: [0.0, 0, 0], completed: [0.0, 0, 0])
      var pixels: [Int] = []
      for line in lines.dropFirst().dropLast() {
        let pixel = try #require(line.row) * Self.side + #require(line.column)
        let observed = try #require(line.observed as Bool?)
        #expect(observed == !Self.mask.isMissing[pixel])
        pixels.append(pixel)
        for sample in 0..<3 {
          completed[sample * Self.size.pixels + pixel] = PNGImage.value(
            ofLevel: try #require(line.levels)[sample][0], bitDepth: 1)
          let nats = try #require(line.nats)[sample]
          if observed { sums.observed[sample] += nats } else { sums.completed[sample] += nats }
        }
      }
      #expect(completed == expected)
      let order = try GenerationOrder(base: .hilbert, size: Self.size, variant: #require(OrderVariant(rawValue: 3)))
        .observedFirst(Set(Self.mask.observedPixels))
      #expect(pixels == order.pixels.map(Int.init))
      let end = try #require(lines.last?.end)
      #expect(end.observed == sums.observed)
      #expect(end.completed == sums.completed)
    }
  }

  /// Colours: three channels of a pixel, each from the mixture given those before it.
  @Test func colorsAreThoseOfComplete() throws {
    let folder = try TemporaryFolder()
    try FileManager.default.createDirectory(atPath: folder.path + "/data", withIntermediateDirectories: true)
    for name in (1...5).map({ "data_batch_\($0)" }) + ["test_batch"] {
      try folder.write([3] + (0..<3072).map { UInt8($0 * 7 % 251) }, to: "data/\(name).bin")
    }
    let settings = [
      "data.set=cifar10", "data.folder=data", "data.binarize=none", "model.distribution=logistic_mixture",
      "model.mixtures=2", "model.filters=4", "training.steps=1", "training.microbatches=1",
      "training.microbatch_size=1", "run.threads=1",
    ]
    let training = try Invocation.lmconv(
      ["train", "--run-dir", "run"] + settings.flatMap { ["--set", $0] }, in: folder.path)
    #expect(training.exitCode == 0, "\(training.errors)")
    let size = ImageSize(rows: 32, columns: 32)
    let grey = PNGImage(size: size, channels: 1, pixels: (0..<1024).map { UInt8($0 / 4) })
    try grey.converted(toChannels: 3).write(to: folder.path + "/mine.png")
    let run = try Invocation.lmconv(
      ["complete", "run", "--images", "mine.png", "--missing", "5,6,4,9", "--samples", "2", "--out", "c.npy"],
      in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    let expected = try NPYArray(contentsOf: folder.path + "/c.npy").elements

    let server = try Server(in: folder)
    let missing = (0..<32).map { row in (0..<32).map { (5..<9).contains(row) && (6..<15).contains($0) ? 1 : 0 } }
    // Grey pictures are colours too.
    for picture in [grey, grey.converted(toChannels: 4)] {
      let image = Data(try picture.encoded()).base64EncodedString()
      let answer = try server.answer("/api/completions", ["image": image, "missing": missing, "samples": 2])
      var completed = [UInt8](repeating: 0, count: expected.count)
      for line in try Self.lines(answer).dropFirst().dropLast() {
        let pixel = try #require(line.row) * 32 + #require(line.column)
        for (sample, levels) in try #require(line.levels).enumerated() {
          let first = (sample * size.pixels + pixel) * 3
          completed.replaceSubrange(first..<(first + 3), with: levels)
        }
      }
      #expect(completed == expected)
    }
  }

  @Test func examplesAreTheTestImagesOfComplete() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      ["complete", "run", "--first", "2", "--count", "1", "--missing", "bottom", "--seed", "5", "--out", "c.npy"],
      in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    let expected = try NPYArray(contentsOf: folder.path + "/c.npy").elements
    let server = try Server(in: folder)
    let missing = (0..<8).map { [Int](repeating: $0 < 4 ? 0 : 1, count: 8) }
    let answer = try server.answer("/api/completions", ["example": 2, "missing": missing, "seed": 5])
    var completed = [UInt8](repeating: 9, count: 64)
    for line in try Self.lines(answer).dropFirst().dropLast() {
      completed[try #require(line.row) * 8 + #require(line.column)] = PNGImage.value(
        ofLevel: try #require(line.levels)[0][0], bitDepth: 1)
    }
    #expect(completed == expected)
    let example = try server.answer("GET", "/api/examples/2.png")
    #expect(example.headers["content-type"] == "image/png")
    #expect(try PNGImage(png: example.body, path: "example").pixels[..<32] == expected[..<32])
  }

  @Test func theOrderIsDrawnAsAPicture() throws {
    let folder = try SmallRun.trained()
    let server = try Server(in: folder)
    let missing = (0..<8).map { [Int](repeating: $0 < 4 ? 1 : 0, count: 8) }
    let answer = try server.answer("/api/orders", ["example": 0, "missing": missing, "order": "raster_scan"])
    #expect(answer.status == 200 && answer.headers["content-type"] == "image/png")
    let order = try GenerationOrder(base: .rasterScan, size: Self.size).observedFirst(Set(32..<64))
    #expect(try PNGImage(png: answer.body, path: "order") == OrderPicture.draw(order, cellSide: 20))
  }

  @Test func picturesAreReturnedAsTheModelSeesThem() throws {
    let server = try Server(in: try SmallRun.trained())
    let grey = (0..<64).map { UInt8($0 * 4) }
    // Opaque colours, of which the model takes the luma.
    let colored = PNGImage(size: Self.size, channels: 4, pixels: grey.flatMap { [$0, $0, $0, 255] })
    let answer = try server.answer(
      "POST", "/api/pictures", headers: ["Content-Type": "image/png"], body: try colored.encoded())
    #expect(answer.status == 200, "\(answer.text)")
    let seen = try PNGImage(png: answer.body, path: "seen")
    #expect(seen.channels == 1)
    #expect(seen.pixels == grey.map { $0 >= 128 ? 255 : 0 })
  }

  @Test func thePageNeedsNothingElse() throws {
    let server = try Server(in: try SmallRun.trained())
    let page = try server.answer("GET", "/")
    #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
    #expect(page.headers["content-security-policy"]?.contains("default-src 'none'") == true)
    for (path, type) in [("/page.css", "text/css"), ("/page.js", "text/javascript")] {
      #expect(page.text.contains("\"\(path)\""))
      let part = try server.answer("GET", path)
      #expect(part.status == 200 && part.headers["content-type"] == "\(type); charset=utf-8")
      #expect(!part.text.contains("://"), "\(path) refers to something elsewhere")
    }
    let model = try JSONSerialization.jsonObject(with: Data(server.answer("GET", "/api/model").body))
    let facts = try #require(model as? [String: Any])
    #expect(facts["rows"] as? Int == 8 && facts["examples"] as? Int == SmallRun.testImages)
    #expect((facts["orders"] as? [[String: Any]])?.first?["name"] as? String == "s_curve/0")
  }

  // MARK: Limits

  @Test func asManyCompletionsAsAllowedRunAndADisconnectFreesASlot() throws {
    let server = try Server(in: try SlowRun.folder(), ["--max-jobs", "1", "--max-samples", "100", "--timeout", "600"])
    let first = try server.begin(Self.long)
    let short: [String: Any] = [
      "example": 0,
      "missing": [[Int]](repeating: [0], count: 28).map { _ in
        [1] + [Int](repeating: 0, count: 27)
      },
    ]
    let refused = try server.answer("/api/completions", short)
    #expect(refused.status == 503)
    #expect(refused.headers["retry-after"] == "1")
    #expect(
      try refused.error
        == "a completion is under way, as many as this server makes at a time; try again in 1 s")
    first.close()
    #expect(try Server.eventually { try server.answer("/api/completions", short).status == 200 })
    let log = try server.log()
    #expect(log.contains("not completed: 100 x 784 pixels, order s_curve/0, "), "\(log)")
    #expect(log.contains(" s: the client went away\n"), "\(log)")
  }

  @Test func completionsEndAtTheTimeout() throws {
    let server = try Server(in: try SlowRun.folder(), ["--max-samples", "100", "--timeout", "0.25"])
    let lines = try Self.lines(try server.answer("/api/completions", Self.long))
    let error = try #require(lines.last?.error)
    #expect(error.hasPrefix("stopped after 0.25 s, the longest that a completion may take here; "))
    #expect(error.hasSuffix(" \(lines.count - 2) of 784 pixels are done") || error.contains(" of 784 pixels are done"))
    #expect(lines.count < 784)
  }

  @Test(arguments: [SIGINT, SIGTERM])
  func aSignalEndsTheServerAndItsCompletions(signal: Int32) throws {
    let server = try Server(in: try SlowRun.folder(), ["--max-samples", "100", "--timeout", "600"])
    let connection = try server.begin(Self.long)
    let end = try server.stop(signal)
    #expect(end.exitCode == 0)
    #expect(end.errors.hasSuffix("the server has ended\n"), "\(end.errors)")
    #expect(end.errors.contains(" s: the server is ending\n"), "\(end.errors)")
    #expect(String(decoding: try connection.rest(), as: UTF8.self).contains("{\"error\":\"the server is ending\"}\n"))
  }

  /// Connections beyond what the system allows are lost, the server is not.
  @Test func tooManyConnectionsDoNotEndTheServer() throws {
    let server = try Server(in: try SmallRun.trained(), openFiles: 40)
    var connections: [HTTPConnection] = []
    let isTold = try Server.eventually {
      // None is taken while the server begins anew.
      do { connections.append(try HTTPConnection(port: server.port)) } catch {}
      return try server.log().contains("warning: connections were lost: Too many open files; listening anew\n")
    }
    #expect(isTold)
    connections = []
    #expect(
      Server.eventually {
        do { return try server.answer("GET", "/api/model").status == 200 } catch { return false }
      })
  }

  // MARK: Beginning

  @Test func aPortInUseIsTold() throws {
    let folder = try SmallRun.trained()
    let server = try Server(in: folder)
    let run = try Invocation.lmconv(["serve", "run", "--port", "\(server.port)"], in: folder.path)
    #expect(
      run.errors
        == "lmconv: error: 127.0.0.1:\(server.port): another program listens on this port; choose one with --port, or let "
        + "the system do so with --port 0\n")
    #expect(run.exitCode == 1)
    #expect(run.output.isEmpty)
  }

  @Test func anAddressOfAnotherMachineIsTold() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["serve", "run", "--port", "0", "--host", "192.0.2.1"], in: folder.path)
    #expect(run.errors == "lmconv: error: 192.0.2.1:0: cannot listen: Cannot assign requested address\n")
    #expect(run.exitCode == 1)
  }

  @Test func listeningForOthersIsWarnedOf() throws {
    let server = try Server(in: try SmallRun.trained(), ["--host", "0.0.0.0"])
    #expect(
      try server.log().contains(
        "warning: everybody who can reach 0.0.0.0:\(server.port) can use this server; it neither asks who they are nor "
          + "encrypts\n"))
    // Names of machines are not known then; other sites' pages still are.
    #expect(try server.answer("GET", "/api/model", headers: ["Host": "node7.example:80"]).status == 200)
    #expect(
      try server.answer("GET", "/api/model", headers: ["Host": "node7", "Origin": "http://evil.example"]).status == 403)
  }

  @Test func aServerIsOneProcess() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["serve", "run", "--port", "0"], in: folder.path, ranks: 2)
    #expect(
      run.errors.contains(
        "error: the server is one process, this job has 2; start without mpirun, with --threads for more threads\n"))
    #expect(run.exitCode == 64)
  }

  @Test(arguments: [
    (["--port", "65536"], "--port must be 0 to 65535, it is 65536"),
    (["--host", "example.org"], "--host must be an IPv4 or IPv6 address or localhost, it is 'example.org'"),
    (["--max-upload", "0"], "--max-upload must be 1 to 1000000 kilobytes, it is 0"),
    (["--timeout", "0"], "--timeout must be above 0 and at most 86400 seconds, it is 0.0"),
    (["--timeout", "nan"], "--timeout must be above 0 and at most 86400 seconds, it is nan"),
    (["--max-jobs", "0"], "--max-jobs must be 1 to 1024, it is 0"),
    (["--max-samples", "-1"], "--max-samples must be 1 to 256, it is -1"),
    (["--order", "random:2"], "'random:2' names 2 orders, where one is needed; random/0 is the first"),
  ])
  func badOptionsAreTold(arguments: [String], message: String) throws {
    let run = try Invocation.lmconv(["serve", "run"] + arguments)
    #expect(run.errors.split(separator: "\n").first.map(String.init) == "Error: \(message)")
    #expect(run.exitCode == 64)
  }
}
