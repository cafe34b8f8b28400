import Foundation
import Imaging
import Orders
import Testing

/// `heatmap` and `receptive-field`.
struct HeatmapCommandLineTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Invocation {
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    return run
  }

  private func list(_ run: Invocation) throws -> [[String: Any]] {
    try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
  }

  /// The pixels of a map add up to what `evaluate` finds of the image.
  @Test func aMapAddsUpToTheImagesLikelihood() throws {
    let folder = try SmallRun.trained()
    let maps = try list(
      try run(["heatmap", "run", "--first", "1", "--count", "2", "--orders", "0,hilbert/2", "--json"], in: folder))
    #expect(maps.map { $0["image"] as? Int } == [1, 1, 2, 2])
    #expect(maps.map { $0["order"] as? String } == ["s_curve/0", "hilbert/2", "s_curve/0", "hilbert/2"])
    _ = try run(
      [
        "evaluate", "run", "--first", "1", "--images", "2", "--orders", "0,hilbert/2", "--per-image", "nats.npy",
      ], in: folder)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/nats.npy"))
    for map in maps {
      let pixels = try #require(map["pixels"] as? [[Double]])
      let nats = try #require(map["nats"] as? Double)
      #expect(pixels.count == 8 && pixels.allSatisfy { $0.count == 8 && $0.allSatisfy { $0 > 0 } })
      #expect(abs(pixels.joined().reduce(0, +) - nats) < 1e-9)
      // The file holds the same number, negative or not, as a double somewhere.
      let found = stride(from: 0, to: bytes.count - 7, by: 1).contains { start in
        let bits = bytes[start..<(start + 8)].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        return abs(abs(Double(bitPattern: bits)) - nats) < 1e-9 * nats
      }
      #expect(found, "\(map["order"] ?? "")")
    }
  }

  @Test func mapsAreDrawnBesideTheirImages() throws {
    let folder = try SmallRun.trained()
    let drawn = try run(
      ["heatmap", "run", "--count", "3", "--orders", "all", "--scale", "10", "--out", "new/heat.png"], in: folder)
    #expect(drawn.errors == "new/heat.png: 3 images, 2 orders\n" && drawn.output.isEmpty)
    let picture = try PNGImage(contentsOf: folder.path + "/new/heat.png")
    // Three rows of 8 pixels of 10 with gaps of 12, headings and the scale.
    #expect(picture.rows == 12 + 18 + 3 * (80 + 12) + 12 + 12 && picture.channels == 3)

    let own = PNGImage(size: ImageSize(rows: 8, columns: 8), color: [255])
    try own.write(to: folder.path + "/own.png")
    #expect(
      try run(["heatmap", "run", "--images", "own.png", "--out", "own-heat.png"], in: folder).errors
        == "own-heat.png: 1 image, 1 order\n")
  }

  @Test func aFieldIsNoLargerThanWhatComesBefore() throws {
    let folder = try SmallRun.trained()
    let found = try run(
      [
        "receptive-field", "run", "--pixel", "0,0", "--pixel", "4,3", "--orders", "0,raster_scan", "--out", "f.png",
        "--json",
      ], in: folder)
    #expect(found.errors == "f.png: 4 receptive fields\n")
    let fields = try list(found)
    #expect(fields.map { $0["earlier"] as? Int } == [0, 35, 0, 35])
    #expect(fields.map { $0["order"] as? String } == ["s_curve/0", "s_curve/0", "raster_scan/0", "raster_scan/0"])
    for field in fields {
      let sensitivity = try #require(field["sensitivity"] as? [[Double]])
      #expect(sensitivity.joined().count { $0 > 0 } == field["pixels"] as? Int)
      #expect(try #require(field["pixels"] as? Int) <= (try #require(field["earlier"] as? Int)))
    }
    #expect(fields[0]["pixels"] as? Int == 0 && (fields[1]["pixels"] as? Int ?? 0) > 3)

    let table = try run(["receptive-field", "run"], in: folder).output
    #expect(table.contains(#/s_curve/0  4,4 +36 +\d+ +\d\.\d\d\n/#), "\(table)")
    let all = try run(["receptive-field", "run", "--orders", "all"], in: folder).output
    #expect(all.hasPrefix(table) && all.split(separator: "\n").count == 3, "\(all)")
  }

  @Test(arguments: [
    (["heatmap", "run"], "Error: nothing to do; pass --out FILE.png or --json"),
    (
      ["heatmap", "run", "--json", "--images", "x.png", "--count", "1"],
      "Error: --first and --count choose test images; with --images there are none"
    ),
    (
      ["heatmap", "run", "--json", "--first", "5", "--count", "2"],
      "lmconv: error: 2 images from 5 on were asked for, the set has 6: 0 to 5"
    ),
    (["heatmap", "run", "--json", "--orders", "zigzag"], "Error: 'zigzag' is no order; an order is "),
    (
      ["receptive-field", "run", "--pixel", "8,0"],
      "Error: '8,0' is no pixel row,column of these images of 8x8: rows are 0 to 7, columns 0 to 7"
    ),
    (
      ["receptive-field", "run", "--pixel", "middle"], "Error: 'middle' is no pixel row,column of these images of 8x8: "
    ),
    (["receptive-field", "run", "--count", "0"], "Error: --count must be 1 to 1000, it is 0"),
    (
      ["receptive-field", "none"],
      "lmconv: error: none: no such file or folder; name a run's folder, a checkpoint's folder or a model.safetensors file"
    ),
  ])
  func whatCannotBeShownIsRefused(arguments: [String], message: String) throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
    #expect(run.exitCode == 64 && run.output.isEmpty)
  }
}
