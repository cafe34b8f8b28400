import CZlib
import Datasets
import Foundation
import Imaging
import Orders
import TestSupport
import Testing

/// Folders of pictures that tests make.
@Suite struct PictureSetTests {
  private let folder: TemporaryFolder
  private var path: String { folder.path }

  init() throws { folder = try TemporaryFolder() }

  private static let fixtures = Fixtures.packageRoot + "/Tests/Fixtures/pictures/"

  /// Writes the picture of `size` that is `value` all over, but for its first pixel.
  private func write(_ name: String, value: Int, rows: Int = 4, columns: Int = 4, channels: Int = 1) throws {
    var picture = PNGImage(
      size: ImageSize(rows: rows, columns: columns),
      color: [UInt8](repeating: UInt8(value), count: channels))
    picture[0, 0] = [UInt8](repeating: 1, count: channels)
    try makeFolder(of: name)
    try folder.write(picture.encoded(), to: name)
  }

  private func makeFolder(of name: String) throws {
    let parent = URL(fileURLWithPath: "\(path)/\(name)").deletingLastPathComponent().path
    try FileManager.default.createDirectory(atPath: parent, withIntermediateDirectories: true)
  }

  /// Pictures in folders train and test, which need no hash.
  private func writeDivided() throws {
    try write("train/b/2.png", value: 20)
    try write("train/a/10.png", value: 10)
    try write("train/b/1.PNG", value: 30)
    try write("test/x.png", value: 40)
  }

  private func load(_ split: Split = .train, _ options: PictureOptions = PictureOptions()) throws -> ImageDataset {
    try ImageDataset.load(set: .folder, folder: path, split: split, pictures: options)
  }

  private func message(_ split: Split = .train, _ options: PictureOptions = PictureOptions()) -> String {
    do {
      _ = try load(split, options)
      return "none"
    } catch { return "\(error)".replacing(path, with: "F") }
  }

  /// The last value of each image.
  private func values(_ set: ImageDataset) throws -> [Int] {
    let pixels = try set.pixels
    return (0..<set.count).map { Int(pixels[($0 + 1) * set.valuesPerImage - 1]) }
  }

  // MARK: Which files

  @Test func allFoldersAreReadInTheOrderOfTheirNames() throws {
    try writeDivided()
    let train = try load()
    #expect(try values(train) == [10, 30, 20])
    #expect(train.size == ImageSize(rows: 4, columns: 4) && train.channels == 1 && train.name == "folder")
    #expect(train.files.map(\.name) == ["train/a/10.png", "train/b/1.PNG", "train/b/2.png"])
    #expect(try values(load(.test)) == [40])
  }

  @Test func otherFilesAndHiddenOnesArePassedOver() throws {
    try writeDivided()
    for name in ["train/notes.txt", "train/.DS_Store", "train/._2.png", "other/3.txt", "train/png"] {
      try makeFolder(of: name)
      try folder.write([1, 2, 3], to: name)
    }
    // With train and test, what lies beside them is of neither.
    try write("beside.png", value: 50)
    #expect(try values(load()) == [10, 30, 20])
    #expect(try values(load(.test)) == [40])
  }

  @Test func aLinkToAFolderAboveEnds() throws {
    try writeDivided()
    try FileManager.default.createSymbolicLink(atPath: "\(path)/train/a/up", withDestinationPath: "..")
    #expect(try values(load()) == [10, 30, 20])
  }

  @Test func foldersWithoutPicturesAreRefused() throws {
    let hint =
      "no file that ends in .png, .jpg, .jpeg, .npy, .npz; for other files set data.set to mnist, cifar10 or tfrecords"
    #expect(message() == "F: \(hint)")
    let text = try folder.write([1], to: "text.txt")
    #expect(throws: DatasetError.noPictures(path: text)) { try PictureSet.load(path: text, split: .train) }
    #expect(throws: DatasetError.unreadable(path: "no/where", reason: "no such file or directory")) {
      try PictureSet.load(path: "no/where", split: .train)
    }
  }

  // MARK: Splits

  /// What docs/data.md says: below the fraction of all CRC-32 of the files' bytes.
  private func isForTesting(_ name: String, _ fraction: Double) throws -> Bool {
    let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    return Double(crc32(0, bytes, UInt32(bytes.count))) / 4_294_967_296 < fraction
  }

  @Test func picturesAreDividedByAHashOfTheirFiles() throws {
    for value in 2..<82 { try write("\(100 + value).png", value: value) }
    var options = PictureOptions()
    for fraction in [0.1, 0.5] {
      options.testFraction = fraction
      let expected = try (2..<82).filter { try isForTesting("\(100 + $0).png", fraction) }
      #expect(try values(load(.test, options)) == expected && !expected.isEmpty)
      #expect(try values(load(.train, options)) == (2..<82).filter { !expected.contains($0) })
    }
  }

  @Test func theSplitOfAPictureDependsOnItsBytesAlone() throws {
    for value in 2..<42 { try write("\(100 + value).png", value: value) }
    let options = PictureOptions(testFraction: 0.5)
    let before = Set(try values(load(.test, options)))
    for value in 2..<42 {
      try makeFolder(of: "deep/\(value).png")
      try FileManager.default.moveItem(atPath: "\(path)/\(100 + value).png", toPath: "\(path)/deep/\(999 - value).png")
    }
    for value in 42..<82 { try write("\(value).png", value: value) }
    #expect(Set(try values(load(.test, options))).intersection(2..<42) == before)
  }

  @Test func aSplitWithoutImagesIsRefused() throws {
    try write("1.png", value: 10)
    let split: Split = try isForTesting("1.png", 0.1) ? .train : .test
    #expect(
      message(split)
        == "F: no image to \(split == .train ? "train" : "test") on, of 1 files; add pictures, change "
        + "data.test_fraction, or divide them into folders train and test")
  }

  // MARK: What pictures become

  @Test func picturesAreCutScaledAndMadeGreyOrColour() throws {
    try write("train/1.png", value: 10, rows: 9, columns: 7)
    try write("train/2.png", value: 20, rows: 7, columns: 12, channels: 3)
    try write("test/3.png", value: 30, rows: 7, columns: 7, channels: 4)
    for channels in [1, 3] {
      let options = PictureOptions(side: 7, channels: channels)
      #expect(message(.test, options).contains("test/3.png: has transparent pixels; put it on a background first"))
      let train = try load(.train, options)
      #expect(train.size == ImageSize(rows: 7, columns: 7) && train.channels == channels)
      #expect(try values(train) == [10, 20])
    }
    let half = try load(.train, PictureOptions(side: 3, channels: 1))
    let picture = try PNGImage(contentsOf: "\(path)/train/1.png")
    let square = ImageSize(rows: 3, columns: 3)
    #expect(
      try Array(half.pixels.prefix(9)) == picture.centerCrop(toProportionsOf: square).areaResized(to: square).pixels)
  }

  @Test func jpegFilesAreReadWhateverTheyAreCalled() throws {
    try makeFolder(of: "train/x")
    for (source, name) in [("rgb.jpg", "train/1.jpg"), ("rgb.jpg", "train/2.png"), ("progressive.jpg", "test/3.JPEG")] {
      try makeFolder(of: name)
      try FileManager.default.copyItem(atPath: Self.fixtures + source, toPath: "\(path)/\(name)")
    }
    let expected = try NPYArray(contentsOf: Self.fixtures + "rgb.npy").elements
    #expect(try load().pixels == expected + expected)
    #expect(try load(.test).pixels == NPYArray(contentsOf: Self.fixtures + "progressive.npy").elements)
  }

  // MARK: Bad pictures

  @Test func everyBadPictureIsNamedOfBothSplits() throws {
    try writeDivided()
    try folder.write([], to: "train/empty.png")
    try folder.write(Array("hello".utf8), to: "train/text.jpg")
    try folder.write(
      Array(try PNGImage(size: ImageSize(rows: 4, columns: 4), color: [9]).encoded().prefix(50)),
      to: "test/cut.png")
    try write("train/large.png", value: 1, rows: 5, columns: 4)
    try write("train/rgb.png", value: 1, channels: 3)
    try FileManager.default.createSymbolicLink(atPath: "\(path)/train/gone.png", withDestinationPath: "nowhere")
    let found = message()
    let lines = found.split(separator: "\n").map { $0.trimmingCharacters(in: .whitespaces) }
    #expect(lines.first == "6 pictures cannot be used; mend or remove, or leave out with data.skip_bad:")
    #expect(
      lines.filter { !$0.contains("cut.png") }.dropFirst() == [
        "F/train/empty.png: an empty file", "F/train/gone.png: no such file or directory",
        "F/train/large.png: 5x4 pixels, F/test/x.png has 4x4; set data.size to scale all to one size",
        "F/train/rgb.png: RGB, F/test/x.png is grey; set data.channels to 1 or 3 to make all grey or RGB",
        "F/train/text.jpg: neither a PNG nor a JPEG file",
      ])
    #expect(lines.contains { $0.hasPrefix("F/test/cut.png: not a readable PNG file: ") })

    let skipping = PictureOptions(skipsBad: true)
    let train = try load(.train, skipping)
    #expect(try values(train) == [10, 30, 20])
    #expect(
      train.skipped.map { ($0.path as NSString).lastPathComponent } == [
        "empty.png", "gone.png", "large.png", "rgb.png", "text.jpg",
      ])
    #expect(try load(.test, skipping).skipped.count == 1)
    // What was left out is not part of the set.
    try FileManager.default.removeItem(atPath: "\(path)/train/empty.png")
    #expect(try load(.train, skipping).contentHash == train.contentHash)
  }

  @Test func picturesSmallerThanTheSizeAreBad() throws {
    try writeDivided()
    #expect(
      message(.train, PictureOptions(side: 5)).contains("F/train/a/10.png: 4x4 pixels, smaller than data.size, 5x5"))
  }

  @Test func longListsAreCutShort() throws {
    for index in 0..<30 { try folder.write([1], to: "\(10 + index).png") }
    let lines = message().split(separator: "\n")
    #expect(lines.count == 22 && lines[0].hasPrefix("30 pictures") && lines[21] == "  and 10 more")
  }

  // MARK: Arrays

  @Test(arguments: ["stored.npz", "deflated.npz"]) func arraysOfAnArchiveAreRead(name: String) throws {
    // Grey and RGB become one kind; the labels are passed over.
    let options = PictureOptions(channels: 3)
    for split in ["train", "test"] {
      try FileManager.default.copyItem(atPath: Self.fixtures + name, toPath: "\(path)/\(split).npz")
    }
    let train = try load(.train, options)
    #expect(train.count == 4 && train.size == ImageSize(rows: 3, columns: 4) && train.channels == 3)
    #expect(try train.pixels.prefix(6) == [0, 0, 0, 1, 1, 1])
    #expect(try Array(train.pixels.suffix(3)) == [23, 73, 123])
    #expect(message().contains("F/train.npz/colour.npy: RGB, F/test.npz/grey.npy is grey; set data.channels"))
  }

  @Test func imagesOfOneArrayAreDividedByTheirOwnHashes() throws {
    let images = (0..<60).map { [UInt8](repeating: UInt8($0), count: 6) }
    let array = try folder.write(NPYArray(shape: [60, 2, 3], elements: images.flatMap(\.self)).encoded, to: "all.npy")
    let options = PictureOptions(testFraction: 0.3)
    let expected = images.filter { Double(crc32(0, $0, 6)) / 4_294_967_296 < 0.3 }.map { Int($0[0]) }
    let test = try PictureSet.load(path: array, split: .test, options: options)
    #expect(try values(test) == expected && (1..<60).contains(expected.count))
    #expect(try values(try PictureSet.load(path: array, split: .train, options: options)).count == 60 - expected.count)
    #expect(test.files.map(\.name) == ["all.npy"])
  }

  @Test(arguments: [
    ([4, 3, 12, 12], "shape [4, 3, 12, 12], expected channels last, [N,H,W,C]; save array.transpose(0, 2, 3, 1)"),
    ([4, 12], "shape [4, 12], expected [N,H,W] or [N,H,W,C] with C from 1 to 4"),
    ([2, 4, 3, 5], "shape [2, 4, 3, 5], expected [N,H,W] or [N,H,W,C] with C from 1 to 4"),
    ([0, 3, 4], "shape [0, 3, 4], expected [N,H,W] or [N,H,W,C] with C from 1 to 4"),
  ])
  func arraysOfOtherShapesAreRefused(shape: [Int], text: String) throws {
    let elements = [UInt8](repeating: 0, count: shape.reduce(1, *))
    try folder.write(NPYArray(shape: shape, elements: elements).encoded, to: "a.npy")
    #expect(
      message() == "1 picture cannot be used; mend or remove, or leave out with data.skip_bad:\n  F/a.npy: \(text)")
  }
}
