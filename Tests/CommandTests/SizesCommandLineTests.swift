import Foundation
import Testing

/// Training on images of several sizes.
@Suite struct SizesCommandLineTests {
  private let folder: TemporaryFolder
  private let train = [
    "train", "--config", "small.yaml", "--set", "data.resize=[5, 8]", "--set", "data.resize_probabilities=[0.7, 0.3]",
    "--set", "training.steps=9", "--set", "checkpoint.every_steps=4", "--set", "run.log_every_steps=1",
  ]

  init() throws {
    folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
  }

  private func lmconv(_ arguments: [String], ranks: Int? = nil) throws -> Invocation {
    try Invocation.lmconv(arguments, in: folder.path, ranks: ranks)
  }

  /// The weights of `run` at its end, without the header, which holds the configuration.
  private func weights(_ run: String) throws -> Data {
    let path = "\(folder.path)/\(run)/checkpoints/step-00000009/model.safetensors"
    let file = try Data(contentsOf: URL(fileURLWithPath: path))
    let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
    return Data(file.dropFirst(8 + length))
  }

  private func steps(_ run: String) throws -> [[String: Any]] {
    try String(contentsOfFile: "\(folder.path)/\(run)/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .map { try JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any] ?? [:] }
      .filter { $0["gradient_norm"] != nil }
  }

  @Test func theBitsAreTheSameOnAnyRanksAndAfterAStop() throws {
    let whole = try lmconv(train + ["--run-dir", "a"])
    #expect(whole.exitCode == 0, "\(whole.errors)")
    #expect(whole.errors.contains("24 images of 8x8, scaled to 5x5 (70 %), 8x8 (30 %), 9 steps"), "\(whole.errors)")
    let ranks = try lmconv(train + ["--run-dir", "b"], ranks: 2)
    #expect(ranks.exitCode == 0, "\(ranks.errors)")
    #expect(try weights("b") == weights("a"))
    try FileManager.default.copyItem(atPath: folder.path + "/a", toPath: folder.path + "/c")
    for step in [8, 9] {
      try FileManager.default.removeItem(atPath: "\(folder.path)/c/checkpoints/step-0000000\(step)")
    }
    let resumed = try lmconv(train + ["--run-dir", "c"], ranks: 2)
    #expect(resumed.exitCode == 0 && resumed.errors.contains("going on from step 4: "), "\(resumed.errors)")
    #expect(try weights("c") == weights("a"))
    let whole8 = try lmconv(train + ["--run-dir", "d", "--set", "data.resize=[8, 5]"])
    #expect(try whole8.exitCode == 0 && weights("d") != weights("a"))
  }

  @Test func metricsHoldWhatWasDrawnAndDivideByIt() throws {
    #expect(try lmconv(train + ["--run-dir", "a"]).exitCode == 0)
    let steps = try steps("a")
    #expect(steps.count == 9)
    var taken: [String: Int] = [:]
    for step in steps {
      let sizes = try #require(step["sizes"] as? [[String: Any]])
      var (bits, dimensions, microbatches) = (0.0, 0.0, 0)
      for entry in sizes {
        let size = try #require(entry["size"] as? String)
        let count = try #require(entry["microbatches"] as? Int)
        taken[size, default: 0] += count
        microbatches += count
        let own = try Double(count) * #require(["5x5": 25.0, "8x8": 64][size])
        dimensions += own
        bits += try own * #require(entry["bits_per_dimension"] as? Double)
      }
      #expect(microbatches == 2)
      let bpd = try #require(step["bits_per_dimension"] as? Double)
      #expect(abs(bpd - bits / dimensions) < 1e-12)
      // Nats are of an image.
      let nats = try #require(step["nats"] as? Double)
      #expect(abs(nats - bits / 2 * 0.693_147_180_559_945_3) < 1e-9)
    }
    #expect(taken.values.reduce(0, +) == 18 && Set(taken.keys) == ["5x5", "8x8"])
    // Without data.resize there is nothing to tell of.
    #expect(try lmconv(SmallRun.train).exitCode == 0)
    #expect(try self.steps("run").allSatisfy { $0["sizes"] == nil })

    let replay = try lmconv(train + ["--run-dir", "a", "--replay", "6", "--json"]).json()
    #expect(replay["bits_per_dimension"] as? Double == steps[5]["bits_per_dimension"] as? Double)
    let reports = try #require(replay["microbatches"] as? [[String: Any]])
    let sizes = try #require(steps[5]["sizes"] as? [[String: Any]])
    #expect(Set(reports.map { $0["size"] as? String }) == Set(sizes.map { $0["size"] as? String }))
    // The whole images are evaluated.
    let evaluation = try lmconv(["evaluate", "a", "--json"]).json()
    #expect(evaluation["images"] as? Int == 6)
  }

  @Test func aDryRunTellsOfTheSizesAndOfWhatCannotBe() throws {
    let dry = try lmconv(train + ["--dry-run"])
    #expect(dry.exitCode == 0)
    #expect(
      dry.output.contains("training images are scaled to 5x5 (70 %), 8x8 (30 %), test images stay 8x8"),
      "\(dry.output)")
    for arguments in [["--dry-run"], []] {
      let large = try lmconv(train + arguments + ["--set", "data.resize=[5, 9]"])
      #expect(large.exitCode == 64)
      #expect(
        large.errors.contains(
          "'data.resize' has 9, but the images are 8x8 and are not made larger; leave out what is above 8"),
        "\(large.errors)")
    }
    let doctor = try lmconv(["doctor", "--config", "small.yaml", "--set", "data.resize=[9]"])
    #expect(doctor.output.contains("'data.resize' has 9, but"), "\(doctor.output)")
    let hilbert = try lmconv(train + ["--set", "orders.base=hilbert"])
    #expect(hilbert.exitCode == 64 && hilbert.errors.contains("this one is 5x5"), "\(hilbert.errors)")
  }
}
