import Foundation
import Imaging
import Orders
import Testing

/// `score`: the same bytes from anybody, pictures in any form, areas by their definition, and everything else is told.
struct ScoreCommandLineTests {
  private struct Row {
    let set: String
    let image: String
    let isAnomalous: Bool
    let values: [String: Double]
  }

  private func run(_ arguments: [String], in folder: TemporaryFolder, ranks: Int? = nil) throws -> Invocation {
    let run = try Invocation.lmconv(arguments, in: folder.path, ranks: ranks)
    #expect(run.exitCode == 0, "\(run.errors)")
    return run
  }

  private func rows(_ folder: TemporaryFolder, _ name: String) throws -> [Row] {
    let text = try String(contentsOfFile: "\(folder.path)/\(name)", encoding: .utf8)
    let lines = text.split(separator: "\n").map { $0.split(separator: ",").map(String.init) }
    let head = try #require(lines.first)
    return try lines.dropFirst().map { line in
      let values = try line.dropFirst(3).map { try #require(Double($0)) }
      return Row(
        set: line[0], image: line[1], isAnomalous: line[2] == "1",
        values: Dictionary(uniqueKeysWithValues: zip(head.dropFirst(3), values)))
    }
  }

  private func contents(_ folder: TemporaryFolder, _ name: String) throws -> Data {
    try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)"))
  }

  // MARK: Results

  @Test func ranksThreadsAndBatchesChangeNoByte() throws {
    let folder = try SmallRun.trained()
    let command = [
      "score", "run", "--split", "test", "--against", "train", "--background", "run/checkpoints/step-00000002",
      "--json",
    ]
    let files = ["a.csv", "a.png"]
    let alone = try run(command + ["--out", "a.csv", "--histogram", "a.png", "--batch-size", "5"], in: folder)
    let expected = try files.map { try contents(folder, $0) }
    for (ranks, threads, batch) in [(1, 2, 3), (2, 1, 1), (3, 2, 100), (7, 1, 2)] {
      let found = try run(
        command + [
          "--out", "b.csv", "--histogram", "b.png", "--threads", "\(threads)", "--batch-size", "\(batch)",
        ], in: folder, ranks: ranks)
      #expect(found.output == alone.output, "\(ranks) ranks of \(threads) threads")
      #expect(try ["b.csv", "b.png"].map { try contents(folder, $0) } == expected, "\(ranks) ranks")
    }
  }

  @Test func scoresComeFromTheLikelihoodsOfEvaluate() throws {
    let folder = try SmallRun.trained()
    _ = try run(["evaluate", "run", "--first", "1", "--images", "4", "--per-image", "nats.csv"], in: folder)
    let typical = try run(["evaluate", "run", "--split", "train", "--images", "10", "--json"], in: folder).json()
    let mean = try #require((typical["ensemble"] as? [String: Any])?["bits_per_dimension"] as? Double)
    _ = try run(
      ["score", "run", "--split", "test", "--first", "1", "--count", "4", "--typical-images", "10", "--out", "s.csv"],
      in: folder)
    let nats = try String(contentsOfFile: folder.path + "/nats.csv", encoding: .utf8).split(separator: "\n").dropFirst()
      .map { try #require(Double($0.split(separator: ",")[1])) }
    let rows = try rows(folder, "s.csv")
    #expect(rows.map { $0.values["nats"] } == nats)
    #expect(rows.map(\.image) == ["1", "2", "3", "4"])
    for row in rows {
      let bits = try #require(row.values["nats"]) / log(2) / 64
      #expect(abs(try #require(row.values["bpd"]) - bits) < 1e-12)
      #expect(abs(try #require(row.values["typicality"]) - abs(bits - mean)) < 1e-12)
      let codec = try #require(row.values["png_bits"])
      #expect(codec > 8 && codec < 8 * 64)
      #expect(abs(try #require(row.values["complexity_corrected"]) - (bits - codec / 64)) < 1e-12)
      #expect(row.values["likelihood_ratio"] == nil)
    }
  }

  /// A folder of PNG files, one by one, an array: the binarized images of the set have the scores of the set.
  @Test func picturesInAnyFormScoreTheSame() throws {
    let folder = try SmallRun.trained()
    _ = try run(["compress", "run", "--split", "test", "--out", "t.lmc"], in: folder)
    _ = try run(["decompress", "run", "t.lmc", "--out", "p"], in: folder)
    let names = try folder.names(in: "p").map { "p/\($0)" }
    let pixels = try names.flatMap { try PNGImage(contentsOf: "\(folder.path)/\($0)").pixels }
    try folder.write(NPYArray(shape: [6, 8, 8], elements: pixels).encoded, to: "p.npy")
    _ = try run(["score", "run", "--split", "test", "--typical-bpd", "1", "--out", "set.csv"], in: folder)
    let expected = try rows(folder, "set.csv")
    for images in [["p"], ["p/"], names, ["p.npy"]] {
      _ = try run(["score", "run"] + images + ["--typical-bpd", "1", "--out", "a.csv"], in: folder)
      let found = try rows(folder, "a.csv")
      #expect(found.map(\.values) == expected.map(\.values), "\(images)")
      if images == ["p"] { #expect(found.map(\.image) == names) }
      if images == ["p.npy"] { #expect(found.map(\.image) == (0..<6).map { "p.npy[\($0)]" }) }
    }
    // Compressing the array gives the file that compressing the set gave.
    _ = try run(["compress", "run", "p.npy", "--out", "u.lmc"], in: folder)
    #expect(try contents(folder, "u.lmc") == contents(folder, "t.lmc"))
  }

  @Test func areasAreThoseOfThePairs() throws {
    let folder = try SmallRun.trained()
    for (arguments, anomalous) in [
      (["--against", "train"], 24), (["--against", "mnist:data"], 6), (["--anomalous-classes", "1,4,5"], 3),
      (["--labels", "labels"], 2),
    ] {
      try folder.write("0\n1\n0\n0\n1\n0\n", to: "labels")
      let json = try run(
        ["score", "run", "--split", "test", "--typical-bpd", "0.9", "--out", "a.csv", "--json"] + arguments, in: folder
      ).json()
      let rows = try rows(folder, "a.csv")
      #expect(rows.count { $0.isAnomalous } == anomalous, "\(arguments)")
      let group = try #require((json["groups"] as? [[String: Any]])?.last)
      #expect(group["images"] as? Int == anomalous)
      let areas = try #require(group["area_under_roc"] as? [String: [String: Any]])
      #expect(Set(areas.keys) == ["bpd", "typicality", "complexity_corrected"])
      for (measure, area) in areas {
        let values = try rows.map { ($0.isAnomalous, try #require($0.values[measure])) }
        var halves = 0
        for case (true, let a) in values {
          for case (false, let n) in values { halves += a > n ? 2 : a == n ? 1 : 0 }
        }
        let value = try #require(area["value"] as? Double)
        // Foundation does not always read the nearest number.
        #expect(abs(value - Double(halves) / Double(2 * anomalous * (rows.count - anomalous))) < 1e-14)
      }
    }
  }

  @Test func aModelIsNoWorseThanItself() throws {
    let folder = try SmallRun.trained()
    let run = try run(
      [
        "score", "run", "--split", "test", "--against", "train", "--background", "run", "--typical-images", "5",
        "--out",
        "a.csv",
      ], in: folder)
    #expect(try rows(folder, "a.csv").allSatisfy { $0.values["likelihood_ratio"] == 0 })
    let lines = run.output.split(separator: "\n").map(String.init)
    #expect(lines[0].hasPrefix("run/checkpoints/step-00000004, moving average; typical: "))
    #expect(lines[0].hasSuffix(" bpd, 5 training images"))
    #expect(lines.last?.hasSuffix("  0.5000 +- 0.0000") ?? false, "\(run.output)")
  }

  /// A sheet for NumPy holds the numbers of the text.
  @Test func arraysHoldTheScores() throws {
    let folder = try SmallRun.trained()
    let command = ["score", "run", "--split", "test", "--typical-bpd", "1", "--orders", "0"]
    _ = try run(command + ["--out", "a.csv"], in: folder)
    _ = try run(command + ["--out", "a.npy"], in: folder)
    let bytes = Array(try contents(folder, "a.npy"))
    let fields = ["set", "image", "anomalous", "nats", "bpd", "typicality", "complexity_corrected", "png_bits"]
    let types = fields.map { "('\($0)', '<f8')" }.joined(separator: ", ")
    #expect(String(decoding: bytes, as: UTF8.self).contains("{'descr': [\(types)], "))
    let doubles = stride(from: bytes.count - 6 * 8 * 8, to: bytes.count, by: 8).map { start in
      Double(bitPattern: bytes[start..<(start + 8)].reversed().reduce(0) { $0 << 8 | UInt64($1) })
    }
    for (index, row) in try rows(folder, "a.csv").enumerated() {
      let values = Array(doubles[(index * 8)..<(index * 8 + 8)])
      #expect(values[1] == Double(index))
      for (name, value) in zip(fields, values).dropFirst(3) { #expect(row.values[name] == value) }
    }
  }

  // MARK: Refusals

  @Test(arguments: [
    (["score", "run", "big.png"], 1, "big.png: 2x3 pixels, this model was trained on 8x8"),
    (["score", "run", "color.png"], 1, "color.png is RGB, this model is of grey images"),
    (["score", "run", "none.png"], 1, "none.png: cannot open: No such file or directory"),
    (["score", "run", "empty"], 1, "empty: no files that end in .png, .jpg, .jpeg or .npy"),
    (
      ["score", "run", "levels.npy"], 1,
      "levels.npy: no value above 1, these look like levels of 1 bit; pixels are 0 to 255, so multiply the array by 255 first"
    ),
    (
      ["score", "run", "flat.npy"], 1, "flat.npy: shape [8, 8], expected [N,H,W] or [N,H,W,C] with C from 1 to 4"
    ),
    (["score", "run", "--split", "test", "--labels", "short"], 1, "short: 1 lines, expected 6, one for each image"),
    (
      ["score", "run", "--split", "test", "--background", "none"], 64,
      "none: no such file or folder; name a run's folder, a checkpoint's folder or a model.safetensors file"
    ),
    (["score", "run", "--split", "test", "--first", "9"], 64, "image 9 was asked for, the set has 6: 0 to 5"),
    (["score", "run", "--split", "test", "--out", "empty"], 1, "empty cannot be written: it is a folder"),
  ])
  func whatCannotBeScoredIsTold(arguments: [String], exitCode: Int32, message: String) throws {
    let folder = try SmallRun.trained()
    let size = ImageSize(rows: 2, columns: 3)
    try PNGImage(size: size, color: [0]).write(to: folder.path + "/big.png")
    try PNGImage(size: ImageSize(rows: 8, columns: 8), color: [0, 0, 0]).write(to: folder.path + "/color.png")
    try FileManager.default.createDirectory(atPath: folder.path + "/empty", withIntermediateDirectories: true)
    try folder.write(
      NPYArray(shape: [1, 8, 8], elements: (0..<64).map { $0 % 2 }).encoded, to: "levels.npy")
    try folder.write(NPYArray(shape: [8, 8], elements: (0..<64).map { $0 }).encoded, to: "flat.npy")
    try folder.write("1\n", to: "short")
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors == "lmconv: error: \(message)\n")
    #expect(run.exitCode == exitCode)
    #expect(run.output.isEmpty)
  }

  @Test(arguments: [
    (["score", "run"], "name images or pass --split test, one of the two"),
    (["score", "run", "a.png", "--split", "test"], "name images or pass --split test, one of the two"),
    (["score", "run", "a.png", "--first", "1"], "--first and --count choose images of a set; pass --split as well"),
    (
      ["score", "run", "a.png", "--anomalous-classes", "1"],
      "--anomalous-classes goes with --split; for files there is --labels"
    ),
    (
      ["score", "run", "--split", "test", "--anomalous-classes", "1,x"], "'x' is no class; classes are 0 to 9"
    ),
    (["score", "run", "a.png", "--typical-bpd", "nan"], "--typical-bpd must be 0 or more"),
  ])
  func badOptionsAreTold(arguments: [String], message: String) throws {
    let run = try Invocation.lmconv(arguments)
    #expect(run.errors.split(separator: "\n").first.map(String.init) == "Error: \(message)")
    #expect(run.exitCode == 64)
  }
}
