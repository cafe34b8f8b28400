import Foundation
import Orders
import Testing

/// What the program says of configurations, data and orders that it cannot train with.
struct ConfigurationCommandLineTests {
  /// Trains in a new small folder and expects to be refused with `message` and `exitCode`.
  private func expectRefusal(
    _ message: String, exitCode: Int32 = 64, _ arguments: [String] = [],
    prepare: (TemporaryFolder) throws -> Void = { _ in }
  ) throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    try prepare(folder)
    let run = try Invocation.lmconv(SmallRun.train + arguments, in: folder.path)
    #expect(run.errors == "lmconv: error: \(message)\n")
    #expect(run.exitCode == exitCode)
    #expect(run.output.isEmpty)
  }

  @Test func anUnknownKeyIsToldWithItsLineAndTheNearestName() throws {
    try expectRefusal("small.yaml:6: unknown key 'model.filter'; did you mean 'model.filters'?") { folder in
      try folder.write(SmallRun.configuration.replacing("filters:", with: "filter:"), to: "small.yaml")
    }
  }

  @Test func brokenYAMLIsToldWithItsLine() throws {
    try expectRefusal(
      "small.yaml:4: not YAML: while parsing a flow sequence, did not find expected ',' or ']'"
    ) { try $0.write("name: small\norders:\n  train: [0, 1\n  test: [2]\n", to: "small.yaml") }
  }

  @Test func allFaultsOfAConfigurationAreToldAtOnce() throws {
    try expectRefusal(
      """
      small.yaml:6: 'model.filters' is 0, must be from 1 to 65536
      --set model.kernel=4: 'model.kernel' is 4, must be odd, from 3 to 63
      """, ["--set", "model.kernel=4"]
    ) { folder in
      try folder.write(SmallRun.configuration.replacing("filters: 4", with: "filters: 0"), to: "small.yaml")
    }
  }

  @Test(arguments: [
    ("training.steps", "must be KEY=VALUE, as in training.steps=1000"),
    ("training.step=3", "unknown key 'training.step'; did you mean 'training.steps'?"),
    ("training.steps=many", "'training.steps' must be an integer, found 'many'"),
    (
      "orders.base=hilbret",
      "'orders.base' must be one of raster_scan, s_curve, hilbert, gilbert2d, s_curve_center_quarter_last, found "
        + "'hilbret'; did you mean 'hilbert'?"
    ),
    (
      "orders.train=[8]",
      "'orders.train' must be random, or a list of orders (each \(OrderChoice.forms)), found '8'"
    ),
    ("orders.train=[3, 3]", "'orders.train' is [3, 3], must be at least one order, none twice"),
    ("training.learning_rate=-1", "'training.learning_rate' is -1, must be above 0"),
    (
      "model.distribution=logistic_mixture",
      "'model.distribution' is logistic_mixture, but 'data.binarize' is stochastic, which leaves 2 levels; set "
        + "'model.distribution' to binary, or 'data.binarize' to none"
    ),
  ])
  func aBadOverrideIsTold(override: String, problem: String) throws {
    try expectRefusal("--set \(override): \(problem)", ["--set", override])
  }

  @Test func aMissingConfigurationIsNamed() throws {
    let folder = try TemporaryFolder()
    let run = try Invocation.lmconv(["train", "--config", "my.yaml"], in: folder.path)
    #expect(run.errors == "lmconv: error: my.yaml: cannot be read: no such file\n")
    #expect(run.exitCode == 64)
  }

  @Test func aMissingDataFolderIsNamed() throws {
    try expectRefusal(
      "configuration: 'data.folder' names 'nowhere', but there is no such folder", ["--set", "data.folder=nowhere"])
  }

  @Test func missingFilesOfADataFolderAreNamed() throws {
    try expectRefusal(
      "data: found no t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz; name the folder that holds the set's files",
      exitCode: 1
    ) { try FileManager.default.removeItem(atPath: $0.path + "/data/t10k-labels-idx1-ubyte") }
  }

  @Test func aSetSmallerThanAStepIsTold() throws {
    try expectRefusal(
      "24 images, expected at least one global batch of 13 microbatches of 2; use fewer or smaller microbatches, or a "
        + "larger set", ["--set", "training.microbatches=13"])
  }

  // MARK: Files of images

  @Test func aTruncatedFileOfImagesIsToldWithWhereItEnds() throws {
    let complete = 16 + SmallRun.trainingImages * SmallRun.side * SmallRun.side
    try expectRefusal(
      "data/train-images-idx3-ubyte: byte 100: truncated, 100 bytes, expected \(complete); fetch the file again",
      exitCode: 1
    ) { try Damage.truncate($0.path + "/data/train-images-idx3-ubyte", to: 100) }
  }

  @Test func aFileOfAnotherKindIsTold() throws {
    try expectRefusal(
      "data/t10k-images-idx3-ubyte: byte 0: magic number 0x00000801, expected 0x00000803; this is not the file that its "
        + "name says", exitCode: 1
    ) { try $0.write(IDX.labels(count: 6), to: "data/t10k-images-idx3-ubyte") }
  }

  @Test func aLabelThatIsNoClassIsToldWithItsOffset() throws {
    try expectRefusal(
      "data/t10k-labels-idx1-ubyte: byte 10: label 77 of image 2, expected 0 to 9", exitCode: 1
    ) { folder in
      var labels = IDX.labels(count: 6)
      labels[10] = 77
      try folder.write(labels, to: "data/t10k-labels-idx1-ubyte")
    }
  }

  @Test func aFalseGzipFileIsTold() throws {
    try expectRefusal(
      "data/t10k-labels-idx1-ubyte.gz: not a gzip file: begins with 0x00 0x00, expected 0x1f 0x8b; if it is already "
        + "unpacked, drop '.gz' from its name", exitCode: 1
    ) { folder in
      let path = folder.path + "/data/t10k-labels-idx1-ubyte"
      try FileManager.default.moveItem(atPath: path, toPath: path + ".gz")
    }
  }

  @Test func aTruncatedFileOfCIFAR10IsToldWithTheOffsetOfItsLastRecord() throws {
    try expectRefusal(
      "data/test_batch.bin: byte 3073: a record of 27 bytes, expected 3073; fetch the file again", exitCode: 1,
      [
        "--set", "data.set=cifar10", "--set", "data.binarize=none", "--set", "model.distribution=logistic_mixture",
      ]
    ) { folder in
      for batch in 1...5 { try folder.write([UInt8](repeating: 0, count: 3073), to: "data/data_batch_\(batch).bin") }
      try folder.write([UInt8](repeating: 0, count: 3073 + 27), to: "data/test_batch.bin")
    }
  }

  // MARK: Orders

  @Test(arguments: [
    (["0 0", "0 1", "0 0"], ":3: pixel (0, 0) is already on line 1; each pixel comes once"),
    (["0 0", "0 1"], ": 2 pixels where a 8x8 image has 64; the first one missing is (0, 2)"),
    (["0 0", "8 1"], ":2: pixel (8, 1) is outside the 8x8 image (rows 0 to 7, columns 0 to 7)"),
    (["0 0", "# none", "0 b"], ":3: 'b' is not a whole number; a line holds a row and a column"),
    (["0 0 7"], ":1: expected a row and a column, found 3 fields"),
  ])
  func aBadOrderFileIsToldWithItsLine(lines: [String], problem: String) throws {
    try expectRefusal("my.order\(problem)", ["--set", "orders.file=my.order"]) {
      try $0.write(lines.joined(separator: "\n"), to: "my.order")
    }
  }

  @Test func aMissingOrderFileIsNamed() throws {
    try expectRefusal(
      "configuration: 'orders.file' names 'my.order', but there is no such file", ["--set", "orders.file=my.order"])
  }

  @Test func anOrderThatTheImagesCannotHaveIsTold() throws {
    let folder = try TemporaryFolder()
    let run = try Invocation.lmconv(
      ["train", "--set", "orders.base=hilbert", "--run-dir", "run"], in: folder.path)
    #expect(
      run.errors
        == "lmconv: error: hilbert needs a square image whose side is a power of two, this one is 28x28; use gilbert2d, "
        + "which takes any size\n")
    #expect(run.exitCode == 64)
  }
}
