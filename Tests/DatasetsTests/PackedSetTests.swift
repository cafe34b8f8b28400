import Datasets
import Foundation
import Imaging
import Orders
import Testing

@Suite struct PackedSetTests {
  private let folder: TemporaryFolder
  private var packed: String { "\(folder.path)/packed.lmds" }
  private let size = ImageSize(rows: 3, columns: 4)

  init() throws { folder = try TemporaryFolder() }

  private func set(count: Int, first: Int, channels: Int = 2) throws -> ImageDataset {
    try ImageDataset(
      name: "ramp", size: size, channels: channels,
      pixels: (0..<(count * 12 * channels)).map { UInt8(truncatingIfNeeded: first + 37 * $0) },
      labels: (0..<count).map { UInt8($0 % 10) })
  }

  /// Packs five images to train on and three to test on.
  private func pack() throws -> (train: ImageDataset, test: ImageDataset) {
    let (train, test) = (try set(count: 5, first: 1), try set(count: 3, first: 99))
    let summary = try PackedSet.pack(train: train, test: test, to: packed)
    let bytes = try FileManager.default.attributesOfItem(atPath: packed)[.size] as? Int
    #expect(summary.train == 5 && summary.test == 3 && summary.size == size && summary.channels == 2)
    #expect(summary.bytes == bytes && bytes == 4096 + 8 * (24 + 8))
    return (train, test)
  }

  private func message(_ body: () throws -> Void) -> String {
    do {
      try body()
      return "none"
    } catch { return "\(error)".replacing(packed, with: "F") }
  }

  /// Overwrites bytes of the file from `offset` on, which may count from its end.
  private func change(at offset: Int, to bytes: [UInt8]) throws {
    var contents = try Data(contentsOf: URL(fileURLWithPath: packed))
    let start = offset < 0 ? contents.count + offset : offset
    contents.replaceSubrange(start..<(start + bytes.count), with: bytes)
    try contents.write(to: URL(fileURLWithPath: packed))
  }

  @Test func whatIsPackedIsTheSameSet() throws {
    let (train, test) = try pack()
    for (split, original) in [(Split.train, train), (.test, test)] {
      let set = try ImageDataset.load(set: .packed, folder: packed, split: split)
      #expect(set.name == "packed" && set.size == original.size && set.channels == original.channels)
      #expect(try set.pixels == original.pixels)
      #expect(set.labels == original.labels && set.contentHash == original.contentHash)
    }
  }

  @Test(arguments: [(3, Binarization.none), (1, .threshold), (1, .stochastic)])
  func theModelSeesTheSameLevels(bits: Int, binarization: Binarization) throws {
    let grey = (try set(count: 6, first: 5, channels: 1), try set(count: 2, first: 9, channels: 1))
    _ = try PackedSet.pack(train: grey.0, test: grey.1, to: packed)
    let original = try ImageDataset(
      name: "grey", size: size, channels: 1, bits: bits, binarization: binarization, pixels: grey.0.pixels,
      labels: grey.0.labels)
    let set = try PackedSet.load(path: packed, split: .train, bits: bits, binarization: binarization)
    for key in [BinarizationKey.training(seed: 2, step: 3, slot: 4), .evaluation(seed: 5)] {
      var (expected, found) = ([UInt8](repeating: 0, count: 36), [UInt8](repeating: 0, count: 36))
      try original.fill(levels: &expected, images: [4, 0, 5], key: key)
      set.willNeed([4, 0, 5])
      try set.fill(levels: &found, images: [4, 0, 5], key: key)
      #expect(found == expected)
    }
  }

  /// Training and test images alternate in the file.
  @Test func aFolderIsPackedAsItIsLoaded() throws {
    let pictures = "\(folder.path)/pictures"
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    for index in 0..<40 {
      let pixels = (0..<63).map { UInt8(truncatingIfNeeded: $0 * (index + 1)) }
      let picture = PNGImage(size: ImageSize(rows: 3, columns: 7), channels: 3, pixels: pixels)
      try folder.write(picture.encoded(), to: "pictures/\(index).png")
    }
    let options = PictureOptions(side: 3, channels: 1, testFraction: 0.4, skipsBad: true)
    try folder.write([1], to: "pictures/9bad.png")
    var told: [Int] = []
    let summary = try PackedSet.pack(pictures: pictures, options: options, to: packed) { told.append($0) }
    #expect(told == Array(1...40) && summary.skipped.count == 1)
    for split in Split.allCases {
      let expected = try PictureSet.load(path: pictures, split: split, options: options)
      let set = try PackedSet.load(path: packed, split: split)
      #expect(try set.pixels == expected.pixels)
      #expect(set.contentHash == expected.contentHash && set.labels == expected.labels)
    }
  }

  @Test func nothingIsLeftWhereNothingCouldBePacked() throws {
    let pictures = "\(folder.path)/pictures"
    try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
    let picture = try PNGImage(size: size, color: [7]).encoded()
    try folder.write(picture, to: "pictures/1.png")
    try folder.write([1], to: "pictures/2.png")
    #expect(
      message { _ = try PackedSet.pack(pictures: pictures, options: PictureOptions(), to: packed) }
        .hasPrefix("1 picture cannot be used"))
    let options = PictureOptions(skipsBad: true)
    #expect(
      message { _ = try PackedSet.pack(pictures: pictures, options: options, to: packed) }.contains("no image to "))
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["pictures"])
    let nowhere = "\(folder.path)/none/packed"
    let (train, test) = (try set(count: 1, first: 0), try set(count: 1, first: 1))
    #expect(
      message { _ = try PackedSet.pack(train: train, test: test, to: nowhere) }
        == "\(nowhere) cannot be written: no such file or directory")
  }

  // MARK: Damage

  @Test func aDamagedRecordIsNamedAndTheOthersAreRead() throws {
    let (train, _) = try pack()
    let original = try train.pixels(of: 3)
    try change(at: 4096 + 3 * 24 + 5, to: [original[5] ^ 4])
    let set = try PackedSet.load(path: packed, split: .train)
    let expected = "F: byte 4168: record 3 is damaged: its pixels do not have their checksum; pack the set again"
    #expect(message { _ = try set.pixels(of: 3) } == expected)
    var levels = [UInt8](repeating: 0, count: 48)
    #expect(message { try set.fill(levels: &levels, images: [2, 3], key: .evaluation(seed: 0)) } == expected)
    for image in [0, 1, 2, 4] { #expect(try set.pixels(of: image) == train.pixels(of: image)) }
    #expect(try PackedSet.load(path: packed, split: .test).pixels.count == 72)
  }

  @Test func damageToHeaderAndIndexIsNamed() throws {
    func load() -> String { message { _ = try PackedSet.load(path: packed, split: .train) } }
    for offset in 12..<64 {
      _ = try pack()
      let byte = try Data(contentsOf: URL(fileURLWithPath: packed))[offset]
      try change(at: offset, to: [byte ^ 0x20])
      #expect(load() == "F: byte 0: the header is damaged; pack the set again", "byte \(offset)")
    }
    _ = try pack()
    try change(at: -1, to: [1])
    #expect(load() == "F: byte 4288: the index is damaged; pack the set again")
    _ = try pack()
    try change(at: 8, to: [2])
    #expect(load() == "F: version 2 of packed sets, this program reads version 1; pack the set again")
    try folder.write(Array("LMCONVDX and more".utf8), to: "packed.lmds")
    #expect(load() == "F: not a packed set; make one with lmconv data prepare")
    try folder.write(Array("LMCONVDS".utf8), to: "packed.lmds")
    #expect(load() == "F: byte 8: truncated, 8 bytes, expected 64; fetch the file again")
    try folder.write([], to: "packed.lmds")
    #expect(load() == "F: not a packed set; make one with lmconv data prepare")
    try FileManager.default.removeItem(atPath: packed)
    #expect(load() == "F: no such file or directory")
    #expect(message { _ = try PackedSet.load(path: folder.path, split: .train) }.hasSuffix(": not a regular file"))
  }

  @Test func otherLengthsAreRefused() throws {
    _ = try pack()
    let whole = [UInt8](try Data(contentsOf: URL(fileURLWithPath: packed)))
    for count in 8..<whole.count {
      try folder.write(Array(whole.prefix(count)), to: "packed.lmds")
      #expect(
        message { _ = try PackedSet.load(path: packed, split: .train) }
          == "F: byte \(count): truncated, \(count) bytes, expected \(count < 64 ? 64 : 4352); fetch the file again")
    }
    try folder.write(whole + [0], to: "packed.lmds")
    #expect(
      message { _ = try PackedSet.load(path: packed, split: .train) }
        == "F: byte 4352: 1 bytes after the end of the data, expected none")
  }

  /// To touch what is no longer there would end the process.
  @Test func aFileThatBecomesShorterIsNoticed() throws {
    _ = try pack()
    let set = try PackedSet.load(path: packed, split: .train)
    #expect(truncate(packed, 100) == 0)
    #expect(
      message { _ = try set.pixels(of: 4) } == "F: byte 100: truncated, 100 bytes, expected 4352; fetch the file again")
  }

  @Test func aFileThatIsReplacedIsReadToItsEnd() throws {
    let (train, _) = try pack()
    let set = try PackedSet.load(path: packed, split: .train)
    _ = try PackedSet.pack(train: try self.set(count: 1, first: 0), test: try self.set(count: 1, first: 1), to: packed)
    #expect(try set.pixels == train.pixels)
  }
}
