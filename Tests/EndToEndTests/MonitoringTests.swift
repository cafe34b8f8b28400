import Foundation
import Imaging
import TestSupport
import Testing

extension EndToEnd {
  /// What a run leaves for TensorBoard and in its folder of pictures.
  @Suite struct MonitoringTests {
    private static let evaluated = ["evaluation.every_steps=5", "monitoring.samples=3", "monitoring.completions=2"]

    private func trained(ranks: Int?, _ settings: [String] = []) throws -> Workplace {
      let trial = Trial.binary(steps: 10, Self.evaluated + settings)
      let workplace = try trial.workplace()
      try workplace.run(ranks: ranks, trial.arguments())
      return workplace
    }

    private func series(_ workplace: Workplace) throws -> [String: [Int: RecordedEvent.Value]] {
      try RecordedEvent.series(in: workplace.path + "/run/tensorboard")
    }

    /// The numbers of `metrics.jsonl`, as they are to be found in the event files: by tag and step.
    private func metrics(_ workplace: Workplace) throws -> [String: [Int: RecordedEvent.Value]] {
      var numbers: [String: [Int: RecordedEvent.Value]] = [:]
      for line in try workplace.contents("run/metrics.jsonl").split(separator: 0x0A) {
        let record = try #require(try JSONSerialization.jsonObject(with: line) as? [String: Any])
        let step = try #require(record["step"] as? Int)
        func add(_ tag: String, _ value: Double) { numbers[tag, default: [:]][step] = .scalar(Float(value)) }
        func add(_ name: String, entry: Any?) {
          for (key, value) in entry as? [String: Any] ?? [:] {
            if let value = value as? Double { add("evaluation/\(key)/\(name)", value) }
          }
        }
        if let evaluation = record["evaluation"] as? [String: Any] {
          add("ensemble", entry: evaluation["ensemble"])
          add("mean_of_orders", entry: evaluation["mean_of_orders"])
          for order in evaluation["orders"] as? [[String: Any]] ?? [] { add("\(order["order"] ?? "")", entry: order) }
        } else if record["event"] == nil {
          for (key, value) in record where key != "step" {
            if let value = value as? Double { add("training/\(key)", value) }
          }
        }
      }
      return numbers
    }

    private func isScalar(_ steps: [Int: RecordedEvent.Value]) -> Bool {
      steps.values.allSatisfy { if case .scalar = $0 { true } else { false } }
    }

    @Test func eventFilesHoldEveryNumberOfTheMetrics() throws {
      let workplace = try trained(ranks: 2)
      let series = try series(workplace)
      let scalars = series.filter { isScalar($0.value) }
      #expect(scalars == (try metrics(workplace)))
      #expect(scalars["training/gradient_norm"]?.keys.sorted() == Array(1...10))
      #expect(scalars["evaluation/bits_per_dimension/s_curve/3"]?.keys.sorted() == [5, 10])
    }

    @Test func picturesAreInTheFolderAndInTheEventFile() throws {
      let workplace = try trained(ranks: 2)
      let series = try series(workplace)
      for (name, columns) in [("samples", 3), ("completions", 2)] {
        for step in [5, 10] {
          let file = "run/pictures/step-\(step < 10 ? "0000000" : "000000")\(step)-\(name).png"
          let bytes = Array(try workplace.contents(file))
          let picture = try PNGImage(png: bytes, path: file)
          #expect(
            series["pictures/\(name)"]?[step]
              == .image(rows: picture.rows, columns: picture.columns, channels: picture.channels, encoded: bytes))
          let (tile, gap) = (12 * 3, name == "samples" ? 2 : 6)
          #expect(picture.columns == columns * (tile + gap) + gap)
        }
        #expect(series["pictures/\(name)"]?[5] != series["pictures/\(name)"]?[10])
      }
      let orders = series.filter { $0.key.hasPrefix("orders/") }
      #expect(orders.keys.sorted() == (0..<8).map { "orders/s_curve/\($0)" })
      #expect(orders.values.allSatisfy { $0.keys.sorted() == [0] })
    }

    @Test func histogramsCountEveryWeightAndItsGradient() throws {
      let series = try series(try trained(ranks: 2))
      for kind in ["weights", "gradients"] {
        guard
          case .histogram(let least, let largest, let count, _, let squares, let buckets) = try #require(
            series["\(kind)/u_init.weight"]?[10])
        else { return #expect(Bool(false), "\(kind): no histogram") }
        #expect(count == 4 * 2 * 9 && buckets.reduce(0) { $0 + $1.count } == count)
        #expect(least < largest && squares > 0)
        #expect(series["\(kind)/nin_out.lin_a.bias"]?.keys.sorted() == [5, 10])
      }
      // The norm is that of all tensors' values together.
      let squares = series.filter { $0.key.hasPrefix("gradients/") }.values.reduce(0.0) { sum, steps in
        guard case .histogram(_, _, _, _, let squares, _)? = steps[10] else { return sum }
        return sum + squares
      }
      guard case .scalar(let norm)? = series["training/gradient_norm"]?[10] else { return #expect(Bool(false)) }
      #expect(abs(squares.squareRoot() / Double(norm) - 1) < 1e-5)
    }

    @Test func theyAreTheSameOnAnyNumberOfRanks() throws {
      func comparable(_ workplace: Workplace) throws -> [String: [Int: RecordedEvent.Value]] {
        try series(workplace).filter { tag, _ in
          !["images_per_second", "elapsed_seconds", "ranks"].contains { tag == "training/\($0)" }
        }
      }
      let alone = try comparable(try trained(ranks: nil))
      #expect(try comparable(try trained(ranks: 3)) == alone)
    }

    /// A killed run leaves steps behind its last checkpoint, and perhaps half a record.
    @Test func aResumedRunShowsEachStepOnce() throws {
      let trial = Trial.binary(steps: 10, Self.evaluated + ["checkpoint.every_steps=4"])
      let workplace = try trial.workplace()
      try workplace.run(ranks: 2, trial.arguments())
      let before = try series(workplace)
      let folder = workplace.path + "/run/tensorboard"
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.count == 1)
      let file = URL(fileURLWithPath: "\(folder)/\(names[0])")
      try Data(contentsOf: file).dropLast(5).write(to: file)
      for checkpoint in try RunFiles(path: workplace.path + "/run").checkpoints() where checkpoint > 5 {
        let name = checkpoint < 10 ? "step-0000000\(checkpoint)" : "step-000000\(checkpoint)"
        try FileManager.default.removeItem(atPath: "\(workplace.path)/run/checkpoints/\(name)")
      }
      try workplace.run(ranks: 1, trial.arguments())
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
      let after = try series(workplace)
      #expect(after["training/nats"] == before["training/nats"])
      #expect(after["pictures/samples"] == before["pictures/samples"])
      #expect(after["gradients/u_init.weight"] == before["gradients/u_init.weight"])
      #expect(after["training/ranks"]?[5] == .scalar(2) && after["training/ranks"]?[6] == .scalar(1))
      #expect(Set(after.keys) == Set(before.keys))
      try expectTheSameInTensorBoard(workplace)
    }

    @Test func whatIsOffLeavesNothing() throws {
      let off = [
        "monitoring.tensorboard=false", "monitoring.samples=0", "monitoring.completions=0",
      ]
      let workplace = try trained(ranks: 2, off)
      let names = try FileManager.default.contentsOfDirectory(atPath: workplace.path + "/run")
      #expect(!names.contains("tensorboard"), "\(names)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: workplace.path + "/run/pictures") == ["orders.png"])

      let few = try series(try trained(ranks: nil, ["monitoring.histograms=false", "monitoring.samples=0"]))
      #expect(Set(few.keys.map { $0.prefix { $0 != "/" } }) == ["training", "evaluation", "orders", "pictures"])
      #expect(few["pictures/samples"] == nil && few["pictures/completions"] != nil)
    }

    // MARK: TensorBoard itself

    /// A Python with the package tensorboard.
    private static let python = ProcessInfo.processInfo.environment["LMCONV_TENSORBOARD_PYTHON"]

    @Test(.enabled(if: python != nil)) func tensorBoardReadsAllOfIt() throws {
      try expectTheSameInTensorBoard(try trained(ranks: 2))
    }

    /// Expects TensorBoard's own reader, if there is one, to find what the reader of these tests finds.
    private func expectTheSameInTensorBoard(_ workplace: Workplace) throws {
      guard let python = Self.python else { return }
      let script = """
        import base64, json, sys
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
        run = EventAccumulator("run/tensorboard", size_guidance={k: 0 for k in ("scalars", "images", "histograms", "tensors")})
        run.Reload()
        tags = run.Tags()
        # As text, from which every digit comes back.
        def steps(events, value): return [[e.step, value(e)] for e in events]
        json.dump({
            "scalars": {t: steps(run.Scalars(t), lambda e: repr(e.value)) for t in tags["scalars"]},
            "images": {t: steps(run.Images(t), lambda e: [e.height, e.width,
                base64.b64encode(e.encoded_image_string).decode()]) for t in tags["images"]},
            "histograms": {t: steps(run.Histograms(t), lambda e: [[repr(x) for x in l] for l in (
                [e.histogram_value.min, e.histogram_value.max, e.histogram_value.num, e.histogram_value.sum,
                 e.histogram_value.sum_squares], e.histogram_value.bucket_limit, e.histogram_value.bucket)]) for t in tags["histograms"]},
        }, sys.stdout)
        """
      let process = Process()
      process.executableURL = URL(fileURLWithPath: python)
      process.arguments = ["-W", "ignore", "-c", script]
      process.currentDirectoryURL = URL(fileURLWithPath: workplace.path)
      let output = Pipe()
      process.standardOutput = output
      try process.run()
      let printed = output.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      #expect(process.terminationStatus == 0)
      let found = try #require(try JSONSerialization.jsonObject(with: printed) as? [String: [String: [[Any]]]])

      var read: [String: [Int: RecordedEvent.Value]] = [:]
      for (kind, tags) in found {
        for (tag, steps) in tags {
          for pair in steps {
            let step = try #require(pair[0] as? Int)
            // Twice the same step would be drawn as two points.
            #expect(read[tag]?[step] == nil, "\(tag), step \(step)")
            read[tag, default: [:]][step] = try value(kind, pair[1], like: try series(workplace)[tag]?[step])
          }
        }
      }
      #expect(read == (try series(workplace)))
    }

    private func value(
      _ kind: String, _ found: Any, like expected: RecordedEvent.Value?
    ) throws -> RecordedEvent.Value {
      func number(_ text: String) throws -> Double { try #require(Double(text)) }
      if kind == "scalars" { return .scalar(Float(try number(try #require(found as? String)))) }
      let list = try #require(found as? [Any])
      if kind == "images" {
        // The reader does not tell the channels.
        guard case .image(_, _, let channels, _)? = expected else { throw EventFault.incomplete }
        let text = try #require(list[2] as? String)
        return .image(
          rows: try #require(list[0] as? Int), columns: try #require(list[1] as? Int), channels: channels,
          encoded: Array(try #require(Data(base64Encoded: text))))
      }
      let lists = try list.map { try (try #require($0 as? [String])).map(number) }
      let (numbers, limits, counts) = (lists[0], lists[1], lists[2])
      return .histogram(
        least: numbers[0], largest: numbers[1], count: numbers[2], sum: numbers[3], squares: numbers[4],
        zip(limits, counts).map { .init(limit: $0, count: $1) })
    }
  }
}
