import Foundation
import Imaging
import Orders
import Testing

/// `info`, `orders`, `masks`, `doctor`, and help.
struct InspectionCommandLineTests {
  // MARK: info

  @Test func aRunIsDescribed() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["info", "run"], in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.hasPrefix("run/checkpoints/step-00000004\n  step         4 of 4\n"), "\(run.output)")
    #expect(run.output.contains("\n  images seen  16\n"))
    #expect(run.output.contains("\n  parameters   7888 in 60 tensors\n"))
    #expect(run.output.contains("\n  step 2  valid  not evaluated\n"))
    #expect(run.output.hasSuffix(" nats (best)\n"))
  }

  @Test func aDescriptionForMachinesNamesDamagedCheckpoints() throws {
    let folder = try SmallRun.trained()
    try Damage.flipLastBit(folder.path + "/run/checkpoints/step-00000002/optimizer.safetensors")
    let run = try Invocation.lmconv(["info", "run", "--tensors", "--weights", "raw", "--json"], in: folder.path)
    let description = try run.json()
    #expect(description["step"] as? Int == 4)
    #expect(description["images_seen"] as? Int == 16)
    #expect(description["parameters"] as? Int == 7888)
    let best = try #require(description["best_metric"] as? Double)
    #expect(description["metric"] as? Double == best)
    let checkpoints = try #require(description["checkpoints"] as? [[String: Any]])
    #expect(checkpoints.map { $0["step"] as? Int } == [2, 4])
    #expect(checkpoints.map { $0["valid"] as? Bool } == [false, true])
    let problem = try #require(checkpoints[0]["problem"] as? String)
    #expect(problem.hasPrefix("checkpoint run/checkpoints/step-00000002 is damaged: 'second."))
    let tensors = try #require(description["tensors"] as? [[String: Any]])
    #expect(tensors.count == 60)
    let first = try #require(tensors.first { $0["name"] as? String == "u_init.weight" })
    #expect(first["shape"] as? [Int] == [4, 2, 3, 3])
    #expect(first["not_finite"] as? Int == 0)
    let (least, greatest) = (try #require(first["minimum"] as? Double), try #require(first["maximum"] as? Double))
    let norm = try #require(first["norm"] as? Double)
    #expect(least < 0 && greatest > 0 && norm > max(-least, greatest))
    #expect(norm < max(-least, greatest) * 72.squareRoot())
  }

  @Test func thePrintedConfigurationTrainsTheSameRun() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(["info", "run", "--configuration"], in: folder.path)
    #expect(run.exitCode == 0)
    try folder.write(run.output, to: "again.yaml")
    let again = try Invocation.lmconv(["train", "--config", "again.yaml", "--run-dir", "run"], in: folder.path)
    #expect(again.errors.contains("the run is complete: 4 of 4 steps are done"), "\(again.errors)")
    #expect(again.exitCode == 0)
  }

  // MARK: orders

  @Test func aSmallOrderIsATable() throws {
    let run = try Invocation.lmconv(["orders", "--size", "2x3", "--variants", "0,4"])
    #expect(
      run.output == """
        s_curve/0
        0  1  2
        5  4  3

        s_curve/4
        0  3  4
        1  2  5

        """)
    #expect(run.exitCode == 0)
  }

  @Test func anOrderForMachinesIsAPermutation() throws {
    let run = try Invocation.lmconv(["orders", "--base", "gilbert2d", "--size", "3x5", "--variants", "6", "--json"])
    let orders = try #require(try JSONSerialization.jsonObject(with: Data(run.output.utf8)) as? [[String: Any]])
    #expect(orders.map { $0["name"] as? String } == ["gilbert2d/6"])
    let pixels = try #require(orders[0]["pixels"] as? [[Int]])
    let positions = try #require(orders[0]["positions"] as? [[Int]])
    #expect(Set(pixels).count == 15)
    for (position, pixel) in pixels.enumerated() { #expect(positions[pixel[0]][pixel[1]] == position) }
  }

  @Test func ordersAreDrawnSideBySide() throws {
    let folder = try TemporaryFolder()
    let run = try Invocation.lmconv(
      ["orders", "--size", "8x8", "--order", "hilbert", "--variants", "0,1", "--out", "new/orders.png"],
      in: folder.path)
    #expect(run.errors == "new/orders.png: hilbert/0 hilbert/1\n")
    #expect(run.output.isEmpty)
    #expect(run.exitCode == 0)
    // Cells of 20 pixels and a margin of half a cell make pictures of 180, with gaps of a cell.
    let picture = try PNGImage(contentsOf: folder.path + "/new/orders.png")
    #expect(picture.size == ImageSize(rows: 220, columns: 420))
  }

  @Test(arguments: [
    (
      ["orders", "--size", "28"],
      "Error: The value '28' is invalid for '--size <rowsxcolumns>': a size is ROWSxCOLUMNS, each from 1 to 1024, such "
        + "as 28x28", 64
    ),
    (
      ["orders", "--size", "0x4"],
      "Error: The value '0x4' is invalid for '--size <rowsxcolumns>': a size is ROWSxCOLUMNS, each from 1 to 1024, such "
        + "as 28x28", 64
    ),
    (
      ["orders", "--base", "hilbert", "--size", "12x12"],
      "lmconv: error: hilbert needs a square image whose side is a power of two, this one is 12x12; use gilbert2d, "
        + "which takes any size", 64
    ),
    (["orders", "--variants", "0,9"], "Error: '9' is no variant of an order; variants are 0 to 7", 64),
    (
      ["orders", "--file", "no.order"], "lmconv: error: no.order: no such file or directory", 64
    ),
    (
      ["orders", "--size", "40x40"],
      "Error: a table of 40 columns is too wide to read; pass --out FILE.png, --json, or a smaller --size", 64
    ),
    (["masks", "--kernel", "4"], "Error: --kernel must be odd, from 1 to 63, it is 4", 64),
    (["masks", "--dilation", "0"], "Error: --dilation must be 1 to 64, it is 0", 64),
    (["masks", "--variant", "-1"], "Error: '-1' is no variant of an order; variants are 0 to 7", 64),
    (
      ["masks", "--size", "8x8", "--observed", "7,7,2,2"],
      "lmconv: error: box 7,7,2,2 reaches outside the 8x8 image: row + height is at most 8, column + width at most 8",
      64
    ),
  ])
  func anOrderThatCannotBeShownIsTold(arguments: [String], message: String, exitCode: Int) throws {
    let run = try Invocation.lmconv(arguments)
    #expect(run.errors.split(separator: "\n").first.map(String.init) == message)
    #expect(run.exitCode == Int32(exitCode))
    #expect(run.output.isEmpty)
  }

  // MARK: masks

  @Test func theMasksOfARasterScanAreDescribed() throws {
    let run = try Invocation.lmconv(["masks", "--size", "4x4", "--order", "raster_scan", "--type", "A", "--json"])
    let mask = try run.json()
    #expect(mask["order"] as? String == "raster_scan/0")
    // Of 16 x 9 taps: left 12, above 12, above left 9, above right 9.
    #expect(mask["visible_share"] as? Double == 42.0 / 144)
    let patterns = try #require(mask["patterns"] as? [[String: [Int]]])
    #expect(patterns.map { $0["pixels"]?.count } == [1, 3, 3, 6, 3])
    #expect(patterns[3]["taps"] == [0, 1, 2, 3])
  }

  @Test func thePatternsOfAMaskAreDrawnAsText() throws {
    let run = try Invocation.lmconv(["masks", "--size", "2x2", "--order", "raster_scan"])
    #expect(
      run.output == """
        raster_scan/0, type B, 3x3 taps 1 pixel apart on 2x2: 27.8 % of the taps are visible, in 4 patterns

        1 pixel
          . . .
          . # .
          . . .

        1 pixel
          . . .
          # # .
          . . .

        1 pixel
          . # #
          . # .
          . . .

        1 pixel
          # # .
          # # .
          . . .

        """)
  }

  @Test func observedPixelsComeFirstInMasks() throws {
    // The bottom row is given: the top row reads it although the raster scan comes to it later.
    let run = try Invocation.lmconv(
      ["masks", "--size", "2x1", "--order", "raster_scan", "--observed", "bottom", "--type", "A", "--json"])
    let patterns = try #require(try run.json()["patterns"] as? [[String: [Int]]])
    #expect(patterns == [["taps": [7], "pixels": [0]], ["taps": [], "pixels": [1]]])
  }

  @Test func masksAreDrawn() throws {
    let folder = try TemporaryFolder()
    let run = try Invocation.lmconv(["masks", "--size", "4x4", "--out", "masks.png"], in: folder.path)
    #expect(run.errors == "masks.png: s_curve/0, type B\n")
    #expect(run.exitCode == 0)
    // Cells of four taps of 12 pixels, and a gap.
    #expect(try PNGImage(contentsOf: folder.path + "/masks.png").size == ImageSize(rows: 204, columns: 204))
  }

  // MARK: doctor

  @Test func aFitMachineIsTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try Invocation.lmconv(["doctor", "--config", "small.yaml"], in: folder.path)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(run.output.hasSuffix("\nfit to train\n"))
    let lines = run.output.split(separator: "\n")
    #expect(lines[0].hasPrefix("MPI "))
    #expect(lines[0].contains("Open MPI v"))
    #expect(lines.contains { $0.hasPrefix("digits ") && $0.contains("4500 training and 500 test images") })
    #expect(lines.contains { $0.hasPrefix("data ") && $0.contains("24 training and 6 test images of 8x8; 2 orders") })
    #expect(try folder.names() == ["data", "small.yaml"])
  }

  @Test func whatIsNotFitIsTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    try Damage.truncate(folder.path + "/data/train-images-idx3-ubyte", to: 20)
    try folder.write("", to: "runs")
    let run = try Invocation.lmconv(["doctor", "--config", "small.yaml"], in: folder.path)
    #expect(run.exitCode == 1)
    #expect(run.output.hasSuffix("\nnot fit to train: see the failures\n"))
    #expect(run.output.contains(" failure  data/train-images-idx3-ubyte: byte 20: truncated, 20 bytes, "))
    #expect(run.output.contains("run folder  failure  "))
  }

  @Test func everyRankIsExamined() throws {
    let run = try Invocation.lmconv(["doctor", "--json"], ranks: 2)
    #expect(run.exitCode == 0, "\(run.errors)")
    let report = try run.json()
    #expect(report["fit"] as? Bool == true)
    let hosts = try #require(report["hosts"] as? [[String: Any]])
    #expect(hosts.map { $0["ranks"] as? [Int] } == [[0, 1]])
    let findings = try #require(report["findings"] as? [[String: String]])
    #expect(findings.contains { $0["message"] == "2 ranks on 1 host are connected and answer" })
  }

  // MARK: Help

  @Test(arguments: ["train", "evaluate", "sample", "complete", "info", "verify", "diff", "orders", "masks", "doctor"])
  func everyCommandHasExamples(command: String) throws {
    let run = try Invocation.lmconv([command, "--help"])
    #expect(run.output.contains("Examples:\n  "))
    #expect(run.output.contains("lmconv \(command)"))
    #expect(run.exitCode == 0)
  }

  @Test func theVersionIsPrinted() throws {
    let run = try Invocation.lmconv(["--version"])
    #expect(run.output.firstMatch(of: #/^lmconv \d+\.\d+\.\d+ \([^)]+, (AVX2|any x86-64|portable)\)\n$/#) != nil)
    #expect(run.exitCode == 0)
  }
}
