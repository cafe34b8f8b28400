import Datasets
import Foundation
import Imaging
import Orders
import TensorFlowFormats
import TestSupport
import Testing

/// Sets of TFRecord files that tests make.
@Suite struct RecordSetTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  private func load(_ split: Split = .train, _ options: PictureOptions = PictureOptions()) throws -> ImageDataset {
    try ImageDataset.load(set: .tfrecords, folder: path, split: split, pictures: options)
  }

  private func message(_ split: Split = .train, _ options: PictureOptions = PictureOptions()) -> String {
    do {
      _ = try load(split, options)
      return "none"
    } catch { return "\(error)".replacing(path, with: "F") }
  }

  private func shard(_ shard: Int, of shards: Int = 2, resolution: Int = 2, _ folder: String = "train") -> String {
    RecordFiles.name(folder, resolution: resolution, shard: shard, of: shards)
  }

  /// The bytes of the file `name`.
  private func contents(_ name: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
  }

  private func expected(_ images: Range<Int>, side: Int) -> [UInt8] {
    images.flatMap { RecordFiles.pixels(image: $0, side: side) }
  }

  // MARK: Which files

  @Test func shardsAreReadInTheOrderOfTheirNumbers() throws {
    // More records than are decoded at once, and more shards than one digit counts.
    try RecordFiles.write(train: 150, validation: 24, resolution: 2, shards: 12, to: path)
    let train = try load()
    #expect(train.name == "tfrecords" && train.count == 150 && train.channels == 3)
    #expect(train.size == ImageSize(rows: 4, columns: 4))
    #expect(try train.pixels == expected(0..<150, side: 4))
    #expect(train.files.count == 12 && train.files[11].name == shard(11, of: 12))
    let first = try contents(shard(0, of: 12))
    #expect(train.files[0].bytes == first.count)
    let test = try load(.test)
    #expect(try test.pixels == expected(150..<174, side: 4))
    #expect(ImageSet(ofImagesAt: path) == .tfrecords && ImageSet(ofImagesAt: path + "/train") == .folder)
  }

  @Test func theSmallestResolutionThatSufficesIsRead() throws {
    for resolution in [1, 3, 2] { try RecordFiles.write(train: 3, validation: 2, resolution: resolution, to: path) }
    #expect(try load().pixels == expected(0..<3, side: 8))
    for (side, from) in [(1, 2), (2, 2), (3, 4), (4, 4), (5, 8), (8, 8)] {
      let set = try load(.test, PictureOptions(side: side))
      let size = ImageSize(rows: side, columns: side)
      let pictures = (3..<5).map {
        PNGImage(
          size: ImageSize(rows: from, columns: from), channels: 3, pixels: RecordFiles.pixels(image: $0, side: from))
      }
      #expect(try set.size == size && set.pixels == pictures.flatMap { $0.areaResized(to: size).pixels }, "\(side)")
    }
    #expect(message(.train, PictureOptions(side: 9)) == "F/train: images of at most 8x8, smaller than data.size, 9x9")
  }

  @Test func missingShardsAreNamed() throws {
    try RecordFiles.write(train: 6, validation: 3, resolution: 3, shards: 3, to: path)
    try FileManager.default.removeItem(atPath: "\(path)/\(shard(1, of: 3, resolution: 3, "validation"))")
    // It is the same set whichever split is asked for.
    #expect(message() == "F/validation: of 3 files of r03, 1 are missing: number 1")
    try RecordFiles.write(train: 6, validation: 3, resolution: 3, shards: 2, to: path)
    #expect(
      message() == "F/train: of 3 files of r03, none is missing; 2 files of r03 belong to another number of files")
    try FileManager.default.removeItem(atPath: "\(path)/train")
    let hint = "; data.folder holds the folders train and validation of such files"
    #expect(message() == "F/train: no file such as train-r08-s-0000-of-0120.tfrecords" + hint)
    try folder.write([], to: "train")
    #expect(message().hasPrefix("F/train: "), "\(message())")
    try FileManager.default.removeItem(atPath: "\(path)/train")
    try FileManager.default.createDirectory(atPath: "\(path)/train", withIntermediateDirectories: true)
    for name in [
      "train-r08.tfrecords", "train-r08-s-0002-of-0002.tfrecords", "train-r17-s-0000-of-0001.tfrecords",
      "validation-r03-s-0000-of-0001.tfrecords", "train-r08-s-0000-of-999999999999.tfrecords",
      "train-r+8-s-0000-of-0001.tfrecords", "train-r08-s--001-of-0001.tfrecords", "train-r08-s-0000-of-0001.tfrecord",
    ] {
      try folder.write([], to: "train/\(name)")
    }
    #expect(message() == "F/train: no file such as train-r08-s-0000-of-0120.tfrecords" + hint)
  }

  // MARK: What images become

  @Test func imagesAreMadeGreyAndPacked() throws {
    try RecordFiles.write(train: 70, validation: 9, resolution: 3, to: path)
    let options = PictureOptions(side: 5, channels: 1)
    let packed = "\(path)/packed.lmds"
    var told: [Int] = []
    let summary = try PackedSet.pack(.tfrecords, pictures: path, options: options, to: packed) { told.append($0) }
    #expect(told == Array(1...79) && summary.train == 70 && summary.test == 9 && summary.channels == 1)
    for split in Split.allCases {
      let set = try load(split, options)
      #expect(set.channels == 1 && set.size == ImageSize(rows: 5, columns: 5))
      let again = try PackedSet.load(path: packed, split: split)
      #expect(try again.pixels == set.pixels && again.contentHash == set.contentHash)
    }
  }

  // MARK: Damage

  @Test func aDamagedRecordIsNamedAndTheOthersAreRead() throws {
    try RecordFiles.write(train: 140, validation: 2, resolution: 2, to: path)
    var bytes = try contents(shard(1))
    let length = bytes.count / 70
    // Records 3 and 66 of the second file: those of image 73 and 136.
    for record in [3, 66] { bytes[record * length + 40] ^= 1 }
    try folder.write(bytes, to: shard(1))
    let lines = [3, 66].map {
      "F/\(shard(1)): byte \($0 * length): record \($0): its bytes do not have their checksum"
    }
    #expect(
      message()
        == "2 pictures cannot be used; mend or remove, or leave out with data.skip_bad:\n  "
        + lines.joined(separator: "\n  "))
    let set = try load(.train, PictureOptions(skipsBad: true))
    #expect(set.skipped.map { $0.description.replacing(path, with: "F") } == lines)
    #expect(try set.pixels == expected(0..<73, side: 4) + expected(74..<136, side: 4) + expected(137..<140, side: 4))
    #expect(try load(.test).count == 2)
  }

  @Test func whatLiesBehindADamagedLengthIsLostButNoOtherFile() throws {
    try RecordFiles.write(train: 8, validation: 2, resolution: 2, to: path)
    var bytes = try contents(shard(0))
    let length = bytes.count / 4
    bytes[length + 3] = 1
    try folder.write(bytes, to: shard(0))
    let set = try load(.train, PictureOptions(skipsBad: true))
    #expect(try set.pixels == expected(0..<1, side: 4) + expected(4..<8, side: 4))
    #expect(
      set.skipped.map { $0.description.replacing(path, with: "F") } == [
        "F/\(shard(0)): byte \(length): record 1: its length does not have its checksum; no record behind it can be found"
      ])
    try folder.write(Array(bytes.prefix(length - 5)), to: shard(0))
    #expect(
      message(.train).contains(
        "F/\(shard(0)): byte 0: record 0: the file ends after \(length - 5) of its \(length) bytes"))
  }

  @Test func whatIsNoImageIsNamed() throws {
    try RecordFiles.write(train: 2, validation: 2, resolution: 2, to: path)
    let clear = (0..<64).map { UInt8($0 % 4 == 3 ? 9 : $0) }
    let cases: [(payload: [UInt8], reason: String)] = [
      ([1, 2, 3], "not a tf.train.Example (malformedProtobuf)"), ([], "no feature 'shape' with integers"),
      (
        try RecordFiles.example(shape: [4, 4], data: []),
        "feature 'shape' is [4, 4], expected rows, columns and 1 to 4 channels"
      ),
      (
        try RecordFiles.example(shape: [3, 4, 4], data: [UInt8](repeating: 0, count: 47)),
        "feature 'data' has 47 bytes, its shape [3, 4, 4] asks for 48"
      ),
      (
        try RecordFiles.example(shape: [4, -4, 3], data: []),
        "feature 'shape' is [4, -4, 3], expected rows, columns and 1 to 4 channels"
      ),
      (try RecordFiles.example(shape: [4, 4, 4], data: clear), "has transparent pixels; put it on a background first"),
      (
        try RecordFiles.example(shape: [4, 4, 1], data: [UInt8](repeating: 1, count: 16)),
        "grey, F/\(shard(0)): byte 0: record 0 is RGB; set data.channels to 1 or 3 to make all grey or RGB"
      ),
    ]
    let good = RecordFrame.around(try RecordFiles.example(image: 0, side: 4))
    for (payload, reason) in cases {
      try folder.write(good + RecordFrame.around(payload) + good, to: shard(0))
      #expect(
        message()
          == "1 picture cannot be used; mend or remove, or leave out with data.skip_bad:\n  "
          + "F/\(shard(0)): byte \(good.count): record 1: \(reason)")
      #expect(try load(.train, PictureOptions(skipsBad: true)).count == 3)
    }
  }
}
