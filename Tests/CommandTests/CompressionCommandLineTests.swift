import Foundation
import Imaging
import Orders
import Testing

/// `compress` and `decompress`: images come back, on any number of ranks, and everything else is told.
struct CompressionCommandLineTests {
  /// The small run, and its six test images compressed to `test.lmc` in chunks of two.
  private func compressed(_ arguments: [String] = []) throws -> TemporaryFolder {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      ["compress", "run", "--split", "test", "--chunk", "2", "--out", "test.lmc"] + arguments, in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    return folder
  }

  /// Expects `arguments` to be refused.
  private func expectRefusal(
    _ message: String, exitCode: Int32 = 1, _ arguments: [String], in folder: TemporaryFolder
  ) throws {
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors == "lmconv: error: \(message)\n")
    #expect(run.exitCode == exitCode)
    #expect(run.output.isEmpty)
  }

  private func bytes(_ folder: TemporaryFolder, _ name: String) throws -> [UInt8] {
    Array(try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/\(name)")))
  }

  // MARK: Round trips

  @Test func sizesAndLikelihoodAreReported() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      ["compress", "run", "--split", "test", "--first", "1", "--count", "3", "--out", "a.lmc", "--json"],
      in: folder.path)
    let json = try run.json()
    let bytes = try bytes(folder, "a.lmc").count
    #expect(json["file"] as? String == "a.lmc")
    #expect(json["images"] as? Int == 3)
    #expect(json["size"] as? String == "8x8")
    #expect(json["order"] as? String == "s_curve/0")
    #expect(json["chunks"] as? Int == 1)
    #expect(json["bytes"] as? Int == bytes)
    #expect(json["raw_bytes"] as? Double == 24)
    #expect(json["bits_per_dimension"] as? Double == Double(bytes * 8) / 192)
    let evaluation = try Invocation.lmconv(
      ["evaluate", "run", "--first", "1", "--images", "3", "--variants", "0", "--json"], in: folder.path)
    let orders = try #require(try evaluation.json()["orders"] as? [[String: Any]])
    let expected = try #require(orders.first?["bits_per_dimension"] as? Double)
    let found = try #require(json["likelihood_bits_per_dimension"] as? Double)
    #expect(abs(found - expected) < 1e-9)
  }

  @Test func ranksAndThreadsChangeNoByte() throws {
    let folder = try compressed()
    let alone = try bytes(folder, "test.lmc")
    for (ranks, threads) in [(1, 1), (2, 1), (3, 2), (4, 1)] {
      let compression = try Invocation.lmconv(
        [
          "compress", "run", "--split", "test", "--chunk", "2", "--out", "again.lmc", "--threads", "\(threads)",
        ], in: folder.path, ranks: ranks)
      #expect(compression.exitCode == 0, "\(compression.errors)")
      #expect(try bytes(folder, "again.lmc") == alone, "\(ranks) ranks of \(threads) threads")
      let decompression = try Invocation.lmconv(
        ["decompress", "run", "test.lmc", "--verify", "test", "--threads", "\(threads)"], in: folder.path, ranks: ranks)
      #expect(decompression.output == "test.lmc: 6 of 6 images decompressed, all equal to those of the set\n")
      #expect(decompression.exitCode == 0, "\(decompression.errors)")
    }
  }

  /// From a data set to a file, to PNG files, to another file in another order, to PNG files.
  @Test func picturesComeBack() throws {
    let folder = try compressed()
    var permutation = Array(0..<64)
    permutation.reverse()
    permutation.swapAt(3, 50)
    try folder.write(permutation.map { "\($0 / 8) \($0 % 8)\n" }.joined(), to: "my.order")
    for arguments in [
      ["decompress", "run", "test.lmc", "--out", "pictures"],
      ["compress", "run"] + (0..<6).map { "pictures/image-000\($0).png" } + ["--order", "my.order", "--out", "b.lmc"],
      ["decompress", "run", "b.lmc", "--out", "again"],
    ] {
      let run = try Invocation.lmconv(arguments, in: folder.path)
      #expect(run.exitCode == 0, "\(run.errors)")
    }
    let names = try folder.names(in: "pictures")
    #expect(names == (0..<6).map { "image-000\($0).png" })
    #expect(try folder.names(in: "again") == names)
    for name in names {
      #expect(
        try PNGImage(contentsOf: "\(folder.path)/pictures/\(name)")
          == PNGImage(contentsOf: "\(folder.path)/again/\(name)"))
    }
  }

  /// A model takes pictures of any size.
  @Test func picturesOfAnotherSizeThanTheModelsComeBack() throws {
    let folder = try SmallRun.trained()
    let size = ImageSize(rows: 11, columns: 5)
    let picture = PNGImage(size: size, channels: 1, pixels: (0..<55).map { $0 % 3 == 0 ? 255 : 0 })
    try picture.write(to: folder.path + "/a.png")
    for arguments in [["compress", "run", "a.png", "-o", "a.lmc"], ["decompress", "run", "a.lmc", "-o", "out"]] {
      let run = try Invocation.lmconv(arguments, in: folder.path)
      #expect(run.exitCode == 0, "\(run.errors)")
    }
    #expect(try PNGImage(contentsOf: folder.path + "/out/image-0000.png") == picture)
  }

  // MARK: Refusals

  @Test func anotherModelIsTold() throws {
    let folder = try compressed()
    for model in [["run/checkpoints/step-00000002"], ["run", "--weights", "raw"]] {
      let other = try Invocation.lmconv(["decompress"] + model + ["test.lmc", "--out", "other"], in: folder.path)
      #expect(other.errors.hasPrefix("lmconv: error: test.lmc: compressed with model "))
      #expect(other.errors.hasSuffix("; use the checkpoint that it was compressed with, and the same --weights\n"))
      #expect(other.exitCode == 1)
      #expect(try folder.names(in: "other").isEmpty)
    }
  }

  @Test func aDamagedFileYieldsItsUndamagedImages() throws {
    let folder = try compressed()
    try Damage.flipLastBit(folder.path + "/test.lmc")
    let refused = try Invocation.lmconv(["decompress", "run", "test.lmc", "--out", "none"], in: folder.path)
    #expect(refused.errors.hasPrefix("lmconv: error: test.lmc: 1 of 3 chunks damaged: chunk 2 at byte "))
    #expect(refused.errors.contains(" (images 4 to 5) has checksum "))
    #expect(refused.exitCode == 1)
    #expect(try folder.names(in: "none").isEmpty)
    for ranks in [1, 2] {
      let kept = try Invocation.lmconv(
        ["decompress", "run", "test.lmc", "--out", "some", "--verify", "test", "--keep-going", "--json"],
        in: folder.path, ranks: ranks)
      let json = try kept.json()
      #expect(json["lost_images"] as? [Int] == [4, 5])
      #expect(json["verified"] as? Bool == false)
      #expect((json["damages"] as? [String])?.count == 1)
      #expect(kept.errors.contains("error: test.lmc: 1 of 3 chunks damaged: chunk 2 at byte "))
      #expect(kept.exitCode == 1)
      #expect(try folder.names(in: "some") == (0..<4).map { "image-000\($0).png" })
    }
  }

  @Test func imagesThatAreNotThoseOfTheSetAreTold() throws {
    let folder = try compressed(["--first", "1", "--count", "4"])
    let run = try Invocation.lmconv(["decompress", "run", "test.lmc", "--verify", "test"], in: folder.path)
    #expect(run.errors == "lmconv: error: test.lmc: 4 images are not those of the set: 0, 1, 2, 3\n")
    #expect(run.exitCode == 1)
    let right = try Invocation.lmconv(
      ["decompress", "run", "test.lmc", "--verify", "test", "--first", "1"], in: folder.path)
    #expect(right.exitCode == 0, "\(right.errors)")
  }

  @Test func filesThatCannotBeReadAreNamed() throws {
    let folder = try SmallRun.trained()
    try expectRefusal(
      "a.lmc: no such file or directory", ["decompress", "run", "a.lmc", "--out", "out"], in: folder)
    try expectRefusal(
      "small.yaml: not a file of compressed images: it begins with 6e 61 6d 65 3a 20 73 6d",
      ["decompress", "run", "small.yaml", "--out", "out"], in: folder)
  }

  @Test func picturesThatTheModelCannotHoldAreTold() throws {
    let folder = try SmallRun.trained()
    let size = ImageSize(rows: 2, columns: 3)
    func write(_ name: String, channels: Int, _ pixels: [UInt8], _ size: ImageSize) throws {
      try PNGImage(size: size, channels: channels, pixels: pixels).write(to: "\(folder.path)/\(name)")
    }
    try write("grey.png", channels: 1, [0, 255, 255, 0, 200, 0], size)
    try write("rgb.png", channels: 3, [UInt8](repeating: 255, count: 18), size)
    try write("a.png", channels: 1, [0, 255, 255, 0, 0, 0], size)
    try write("b.png", channels: 1, [0, 255], ImageSize(rows: 2, columns: 1))
    try expectRefusal(
      "grey.png: value 200 at (1, 1) is none of the 2 levels of this model, which would lose it; pass --quantize to "
        + "drop the bits that the model does not know", ["compress", "run", "grey.png", "--out", "x.lmc"], in: folder)
    try expectRefusal(
      "rgb.png is RGB, this model is of grey images", ["compress", "run", "rgb.png", "--out", "x.lmc"], in: folder)
    try expectRefusal(
      "b.png has 2x1 pixels, a.png has 2x3; all must have one size",
      ["compress", "run", "a.png", "b.png", "--out", "x.lmc"], in: folder)
    let quantized = try Invocation.lmconv(
      ["compress", "run", "grey.png", "--out", "x.lmc", "--quantize"], in: folder.path)
    #expect(quantized.exitCode == 0, "\(quantized.errors)")
  }

  @Test func imagesOutsideTheSetAreTold() throws {
    try expectRefusal(
      "4 images from 3 on were asked for, the set has 6: 0 to 5", exitCode: 64,
      ["compress", "run", "--split", "test", "--first", "3", "--count", "4", "--out", "x.lmc"],
      in: try SmallRun.trained())
  }

  @Test(arguments: [
    (["compress", "run", "--out", "x"], "name images or pass --split test, one of the two"),
    (
      ["compress", "run", "a.png", "--split", "test", "--out", "x"],
      "name images or pass --split test, one of the two"
    ),
    (
      ["compress", "run", "a.png", "--count", "3", "--out", "x"],
      "--first and --count choose images of a set; pass --split as well"
    ),
    (
      ["compress", "run", "a.png", "--order", "8", "--out", "x"], "'8' is no order; an order is \(OrderChoice.forms)"
    ),
    (
      ["compress", "run", "a.png", "--order", "random:2", "--out", "x"],
      "'random:2' names 2 orders, where one is needed; random/0 is the first"
    ),
    (["compress", "run", "a.png", "--chunk", "0", "--out", "x"], "--chunk must be 1 to 65536, it is 0"),
    (["decompress", "run", "a.lmc"], "pass --out FOLDER, --verify SPLIT, or both"),
    (["decompress", "run", "a.lmc", "--out", "x", "--first", "2"], "--first goes with --verify"),
  ])
  func badOptionsAreTold(arguments: [String], message: String) throws {
    let run = try Invocation.lmconv(arguments)
    #expect(run.errors.split(separator: "\n").first.map(String.init) == "Error: \(message)")
    #expect(run.exitCode == 64)
  }
}
