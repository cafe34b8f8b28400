import Checkpoints
import Foundation
import Imaging
import Orders
import Testing

/// `evaluate`, `sample` and `complete`: what they write, and what they say of models and options that they cannot use.
struct ModelCommandLineTests {
  /// Expects `arguments` to be refused in a folder with the small run.
  private func expectRefusal(
    _ message: String, exitCode: Int32, _ arguments: [String], prepare: (TemporaryFolder) throws -> Void = { _ in }
  ) throws {
    let folder = try SmallRun.trained()
    try prepare(folder)
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors == "lmconv: error: \(message)\n")
    #expect(run.exitCode == exitCode)
    #expect(run.output.isEmpty)
  }

  /// Expects an option to be refused before anything is opened.
  private func expectBadOption(_ message: String, _ arguments: [String]) throws {
    let run = try Invocation.lmconv(arguments)
    #expect(run.errors.split(separator: "\n").first.map(String.init) == "Error: \(message)")
    #expect(run.exitCode == 64)
    #expect(run.output.isEmpty)
  }

  // MARK: Models

  @Test(arguments: [["evaluate"], ["sample", "--out", "x.png"], ["info"]])
  func aModelThatIsNotThereIsNamed(command: [String]) throws {
    try expectRefusal(
      "runs/digits: no such file or folder; name a run's folder, a checkpoint's folder or a model.safetensors file",
      exitCode: 64, command + ["runs/digits"])
  }

  @Test func aFolderWithoutModelIsTold() throws {
    try expectRefusal(
      "data: not a checkpoint: it has no state.json; name a run folder, one of its checkpoints/step-XXXXXXXX, or a "
        + ".safetensors file", exitCode: 1, ["evaluate", "data"])
  }

  @Test func aFileThatIsNoModelIsTold() throws {
    try expectRefusal(
      "model.safetensors: truncated, 5 bytes where the header announces 8", exitCode: 1,
      ["evaluate", "model.safetensors"]
    ) { try $0.write("short", to: "model.safetensors") }
  }

  @Test func aForeignModelIsToldTensorByTensor() throws {
    try expectRefusal(
      "checkpoint foreign.safetensors: 'u_init.weight' is [4, 2, 5, 5], this model needs [4, 2, 3, 3]; 'u_init.bias' is "
        + "missing, this model needs [4]; 'up_layers.0.u_stream.0.conv_input.weight' is missing, this model needs "
        + "[4, 8, 3, 3]; 'up_layers.0.u_stream.0.conv_input.bias' is missing, this model needs [4]; "
        + "'up_layers.0.u_stream.0.conv_out.weight' is missing, this model needs [8, 8, 3, 3]; and 56 more",
      exitCode: 1, ["evaluate", "foreign.safetensors", "--config", "small.yaml"]
    ) { folder in
      var file = SafetensorsFile()
      file.add("u_init.weight", shape: [4, 2, 5, 5], floats: [Float](repeating: 0, count: 200))
      file.add("encoder.weight", shape: [1], floats: [0])
      try file.write(to: folder.path + "/foreign.safetensors")
    }
  }

  @Test func aModelWithoutConfigurationAsksForOne() throws {
    try expectRefusal(
      "plain.safetensors does not say which network its parameters are of; pass --config FILE", exitCode: 1,
      ["evaluate", "plain.safetensors"]
    ) { try SafetensorsFile().write(to: $0.path + "/plain.safetensors") }
  }

  @Test func aModelWithoutAverageIsTold() throws {
    try expectRefusal(
      "run/checkpoints/step-00000004/model.safetensors has no moving average of the parameters; pass --weights raw",
      exitCode: 1, ["evaluate", "run/checkpoints/step-00000004/model.safetensors", "--weights", "ema"])
  }

  @Test func aDamagedCheckpointIsToldWithItsTensor() throws {
    let folder = try SmallRun.trained()
    try Damage.flipLastBit(folder.path + "/run/checkpoints/step-00000004/ema.safetensors")
    let direct = try Invocation.lmconv(["evaluate", "run/checkpoints/step-00000004"], in: folder.path)
    #expect(
      direct.errors.hasPrefix("lmconv: error: checkpoint run/checkpoints/step-00000004 is damaged: '"),
      "\(direct.errors)")
    #expect(direct.exitCode == 1)
    // A run has others.
    let ofRun = try Invocation.lmconv(["evaluate", "run", "--json"], in: folder.path)
    #expect(ofRun.errors.hasPrefix("warning: passed over: checkpoint run/checkpoints/step-00000004 is damaged: '"))
    #expect(ofRun.exitCode == 0)
    #expect(try ofRun.json()["step"] as? Int == 2)
  }

  @Test func aRunWhoseCheckpointsAreAllDamagedIsTold() throws {
    let folder = try SmallRun.trained()
    for step in ["step-00000002", "step-00000004"] {
      try Damage.truncate("\(folder.path)/run/checkpoints/\(step)/model.safetensors", to: 10)
    }
    let run = try Invocation.lmconv(["evaluate", "run"], in: folder.path)
    #expect(
      run.errors.hasPrefix(
        "lmconv: error: run: no checkpoint: checkpoint run/checkpoints/step-00000004 is damaged: model.safetensors has "
          + "10 bytes, "), "\(run.errors)")
    #expect(run.exitCode == 1)
  }

  @Test func dataThatMovedAwayIsTold() throws {
    try expectRefusal(
      """
      run/checkpoints/step-00000004 needs files that are not here:
        'data.folder' names 'data', but there is no such folder
      relative paths begin at the working folder; go to where it was trained, or pass --set KEY=PATH
      """, exitCode: 1, ["evaluate", "run"]
    ) { try FileManager.default.moveItem(atPath: $0.path + "/data", toPath: $0.path + "/moved") }
  }

  // MARK: Images, variants, regions

  @Test(arguments: [
    (["--images", "7"], "7 images from 0 on were asked for, the set has 6: 0 to 5"),
    (["--first", "4", "--images", "3"], "3 images from 4 on were asked for, the set has 6: 0 to 5"),
    (["--first", "6"], "image 6 was asked for, the set has 6: 0 to 5"),
    (
      ["--first", "9223372036854775807", "--images", "9223372036854775807"],
      "9223372036854775807 images from 9223372036854775807 on were asked for, the set has 6: 0 to 5"
    ),
    (
      ["--region", "6,0,3,8"],
      "box 6,0,3,8 reaches outside the 8x8 image: row + height is at most 8, column + width at most 8"
    ),
    (
      ["--region", "1,2,3"],
      "'1,2,3' is not a box: expected four integers row,column,height,width, or two of a pixel, row,column"
    ),
    (
      ["--region", "bottm"],
      "'bottm' is no region of missing pixels; use top, bottom, left, right, center, a box row,column,height,width, "
        + "a pixel row,column or a file that ends in .png"
    ),
    (["--region", "mask.png"], "mask.png: cannot open: No such file or directory"),
  ])
  func imagesAndRegionsOutsideTheSetAreTold(arguments: [String], message: String) throws {
    try expectRefusal(message, exitCode: 64, ["evaluate", "run"] + arguments)
  }

  @Test(arguments: [
    (["evaluate", "run", "--orders", "0,8"], "'8' is no order; an order is \(OrderChoice.forms)"),
    (["evaluate", "run", "--orders", "hilbrt/1"], "'hilbrt/1' is no order; an order is \(OrderChoice.forms)"),
    (
      ["evaluate", "run", "--orders", "random:4,random/2"],
      "order random/2 is there twice; an ensemble counts each once"
    ),
    (["evaluate", "run", "--images", "-1"], "--first and --images must not be negative"),
    (["evaluate", "run", "--batch-size", "0"], "--batch-size must be positive"),
    (["evaluate", "run", "--threads", "-1"], "--threads must be 0 to 1024, it is -1"),
    (["sample", "run", "--variant", "8", "--out", "x.png"], "'8' is no order; an order is \(OrderChoice.forms)"),
    (["sample", "run", "--stages", "1", "--out", "x.png"], "--stages must be 2 to 100, it is 1"),
    (
      ["complete", "run", "--missing", "top", "--observed", "left", "--out", "x.png"],
      "pass --missing or --observed, not both"
    ),
    (
      ["complete", "run", "--missing", "top", "--images", "a.png", "--count", "2", "--out", "x.png"],
      "--first and --count choose test images; with --images there are none"
    ),
    (["sample", "run", "--temperature", "-1", "--out", "x.png"], "--temperature must not be negative, it is -1.0"),
    (["sample", "run", "--temperature", "nan", "--out", "x.png"], "--temperature must not be negative, it is nan"),
    (["sample", "run", "--scale", "0", "--out", "x.png"], "--scale must be 1 to 64, it is 0"),
    (["sample", "run", "--count", "0", "--out", "x.png"], "--count must be 1 to 10000, it is 0"),
    (["sample", "run"], "Missing expected argument '--out <file>'"),
    (["complete", "run", "--out", "x.png"], "nothing is missing; pass --missing bottom, for example"),
    (
      ["complete", "run", "--missing", "top", "--samples", "0", "--out", "x.png"],
      "--samples must be 1 to 10000, it is 0"
    ),
    (
      ["complete", "run", "--missing", "top", "--first", "-1", "--out", "x.png"],
      "--first must not be negative, it is -1"
    ),
    (["train", "--json"], "--json goes with --dry-run or --replay; metrics.jsonl holds a run's numbers"),
    (["frobnicate"], "Unexpected argument 'frobnicate'"),
  ])
  func aBadOptionIsTold(arguments: [String], message: String) throws { try expectBadOption(message, arguments) }

  @Test func aMaskOfAnotherSizeIsTold() throws {
    try expectRefusal(
      "mask.png: a mask of 8x9 pixels, the images have 8x8", exitCode: 64,
      ["complete", "run", "--missing", "mask.png", "--count", "2", "--out", "x.png"]
    ) { folder in
      try PNGImage(size: ImageSize(rows: 8, columns: 9), color: [0]).write(to: folder.path + "/mask.png")
    }
  }

  @Test func aMaskThatIsNoPNGFileIsTold() throws {
    try expectRefusal(
      "mask.png: not a readable PNG file: Not a PNG file", exitCode: 64,
      ["complete", "run", "--missing", "mask.png", "--count", "2", "--out", "x.png"]
    ) { try $0.write("not a picture", to: "mask.png") }
  }

  @Test func moreImagesThanThereAreAreNotCompleted() throws {
    try expectRefusal(
      "8 images from 0 on were asked for, the set has 6: 0 to 5", exitCode: 64,
      ["complete", "run", "--missing", "top", "--out", "x.png"])
  }

  // MARK: Results

  @Test func anEvaluationSaysWhatItIsOf() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      ["evaluate", "run", "--variants", "0", "2,5", "--per-image", "new/likelihoods.csv", "--json"], in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    let result = try run.json()
    #expect(result["images"] as? Int == 6)
    #expect(result["images_in_set"] as? Int == 6)
    #expect(result["model"] as? String == "run/checkpoints/step-00000004")
    #expect(result["step"] as? Int == 4)
    #expect(result["weights"] as? String == "ema")
    let orders = try #require(result["orders"] as? [[String: Any]])
    #expect(orders.map { $0["order"] as? String } == ["s_curve/0", "s_curve/2", "s_curve/5"])
    let ensemble = try #require((result["ensemble"] as? [String: Any])?["nats"] as? Double)

    let table = try String(contentsOfFile: folder.path + "/new/likelihoods.csv", encoding: .utf8)
      .split(separator: "\n").map { $0.split(separator: ",") }
    #expect(table[0] == ["image", "ensemble", "s_curve/0", "s_curve/2", "s_curve/5"])
    #expect(table.dropFirst().map { $0[0] } == ["0", "1", "2", "3", "4", "5"])
    let nats = try table.dropFirst().map { try #require(Double($0[1])) }
    #expect(abs(nats.reduce(0, +) / 6 - ensemble) < 1e-9)
  }

  @Test func anEvaluationForPeopleCountsItsImages() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      ["evaluate", "run", "--region", "top", "--images", "4", "--weights", "raw"], in: folder.path)
    let lines = run.output.split(separator: "\n")
    #expect(lines.first == "run/checkpoints/step-00000004, raw weights")
    #expect(lines.dropFirst().first?.hasPrefix("s_curve/0             ") == true, "\(run.output)")
    #expect(lines.last == "4 of 6 images, given all but the region")
    #expect(run.exitCode == 0)
  }

  @Test func completionsAreWrittenInANewFolder() throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(
      [
        "complete", "run", "--missing", "bottom", "--count", "3", "--samples", "2", "--scale", "2", "--out",
        "new/pictures/completions.png",
      ], in: folder.path)
    #expect(run.errors == "new/pictures/completions.png: observed, completed and true, 3 images, order s_curve/0\n")
    #expect(run.exitCode == 0)
    // Four rows of three tiles of 16 x 16 pixels, with gaps of 4.
    let picture = try PNGImage(contentsOf: folder.path + "/new/pictures/completions.png")
    #expect(picture.size == ImageSize(rows: 4 * 20 + 4, columns: 3 * 20 + 4))
  }

  @Test func ownPicturesAreCompletedFromWhatIsObserved() throws {
    let folder = try SmallRun.trained()
    // The first of two pictures is black, the second white, of another size than the data set's.
    let size = ImageSize(rows: 6, columns: 9)
    for (name, value) in [("black", UInt8(0)), ("white", 1)] {
      try PNGImage(size: size, channels: 1, levels: [UInt8](repeating: value, count: 54), bitDepth: 1)
        .write(to: folder.path + "/\(name).png")
    }
    let run = try Invocation.lmconv(
      [
        "complete", "run", "--observed", "0,0;5,8;2,2,2,3", "--images", "black.png", "white.png", "--order", "random/3",
        "--scale", "1", "--out", "own.png", "--strip", "strip.png", "--stages", "4",
      ], in: folder.path)
    #expect(
      run.errors == """
        own.png: observed, completed and true, 2 images, order random/3
        strip.png: 2 images in 4 stages

        """)
    #expect(run.exitCode == 0)
    let picture = try PNGImage(contentsOf: folder.path + "/own.png")
    #expect(picture.size == ImageSize(rows: 3 * 8 + 2, columns: 2 * 11 + 2))
    for row in 0..<6 {
      for column in 0..<9 {
        let isObserved =
          (row, column) == (0, 0) || (row, column) == (5, 8) || (2...3).contains(row) && (2...4).contains(column)
        for (image, value) in [UInt8(0), 255].enumerated() {
          let shown = picture[2 + row, 2 + image * 11 + column]
          #expect(shown == (isObserved ? [value, value, value] : [92, 112, 150]), "(\(row), \(column))")
          if isObserved { #expect(picture[10 + row, 2 + image * 11 + column] == [value, value, value]) }
        }
      }
    }
    let strip = try PNGImage(contentsOf: folder.path + "/strip.png")
    #expect(strip.size == ImageSize(rows: 2 * 8 + 2, columns: 4 * 11 + 2))
  }

  @Test func theSameSeedGivesTheSameSamples() throws {
    let folder = try SmallRun.trained()
    func sample(seed: Int, to name: String) throws -> PNGImage {
      let run = try Invocation.lmconv(
        ["sample", "run", "--count", "4", "--seed", "\(seed)", "--out", name], in: folder.path)
      #expect(run.exitCode == 0, "\(run.errors)")
      return try PNGImage(contentsOf: folder.path + "/" + name)
    }
    let first = try sample(seed: 7, to: "a.png")
    #expect(try sample(seed: 7, to: "b.png") == first)
    #expect(try sample(seed: 8, to: "c.png") != first)
  }

  @Test(arguments: [
    ("small.yaml/x.png", "small.yaml/x.png cannot be written: folder small.yaml cannot be made: File exists"),
    ("data", "data cannot be written: it is a folder"),
  ])
  func aPictureThatCannotBeWrittenIsToldBeforeTheWork(path: String, message: String) throws {
    try expectRefusal(message, exitCode: 1, ["sample", "run", "--out", path])
  }
}
