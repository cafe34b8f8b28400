import Foundation
import Orders
import Testing

import Datasets

@Suite struct MNISTTests {
  /// Writes a training set to a new folder; what is not given is a valid file of two images of 3x4.
  private func folder(images: [UInt8]? = nil, labels: [UInt8]? = nil) throws -> TemporaryFolder {
    let folder = try TemporaryFolder()
    try folder.write(images ?? idxImages(count: 2, rows: 3, columns: 4), to: "train-images-idx3-ubyte")
    try folder.write(labels ?? idxLabels([5, 9]), to: "train-labels-idx1-ubyte")
    return folder
  }

  /// The message on loading the training set of `folder`, with the folder's path cut off.
  private func message(_ folder: TemporaryFolder) throws -> String {
    let error = try #require(throws: DatasetError.self) { try MNIST.load(folder: folder.path, split: .train) }
    return error.description.replacingOccurrences(of: folder.path + "/", with: "")
  }

  @Test func filesAreReadAsTheyAre() throws {
    let folder = try folder()
    let set = try MNIST.load(folder: folder.path, split: .train)
    #expect(set.name == "mnist" && set.size == ImageSize(rows: 3, columns: 4) && set.channels == 1 && set.count == 2)
    #expect(try set.pixels == Array(0..<24))
    #expect(set.labels == [5, 9])
  }

  @Test func packedFilesAreReadLikePlainOnes() throws {
    let plain = try folder()
    let packed = try TemporaryFolder()
    for name in ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"] {
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(plain.path)/\(name)")))
      try packed.write(gzip(bytes), to: name + ".gz")
    }
    let first = try MNIST.load(folder: plain.path, split: .train)
    let second = try MNIST.load(folder: packed.path, split: .train)
    #expect(try first.pixels == second.pixels)
    #expect(first.labels == second.labels && first.contentHash == second.contentHash)
  }

  @Test func missingFilesAreAllNamed() throws {
    let folder = try folder()
    let error = try #require(throws: DatasetError.self) { try MNIST.load(folder: folder.path, split: .test) }
    #expect(
      error.description
        == "\(folder.path): found no t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz, "
        + "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz; name the folder that holds the set's files")
    let noFolder = try #require(throws: DatasetError.self) { try MNIST.load(folder: "/absent/folder", split: .test) }
    #expect(
      noFolder.description
        == "/absent/folder: no such folder; looked there for t10k-images-idx3-ubyte or t10k-images-idx3-ubyte.gz, "
        + "t10k-labels-idx1-ubyte or t10k-labels-idx1-ubyte.gz")
  }

  @Test func wrongMagicNumbersAreReported() throws {
    #expect(
      try message(folder(images: idxLabels([1, 2])))
        == "train-images-idx3-ubyte: byte 0: magic number 0x00000801, expected 0x00000803; "
        + "this is not the file that its name says")
    #expect(
      try message(folder(labels: Array("<html>".utf8)))
        == "train-labels-idx1-ubyte: byte 0: magic number 0x3c68746d, expected 0x00000801; "
        + "this is not the file that its name says")
  }

  @Test(
    arguments: [
      ([0, 3, 4], "byte 4: 0 images, expected 1 to 100000000"),
      ([0xffff_ffff, 3, 4], "byte 4: 4294967295 images, expected 1 to 100000000"),
      ([2, 0, 4], "byte 8: 0 rows, expected 1 to 1024"),
      ([2, 3, 0], "byte 12: 0 columns, expected 1 to 1024"),
      ([2, 3, 1025], "byte 12: 1025 columns, expected 1 to 1024"),
    ] as [([UInt32], String)])
  func impossibleSizesAreReported(sizes: [UInt32], expected: String) throws {
    let images = idx(magic: 0x803, sizes: sizes, elements: [])
    #expect(try message(folder(images: images)) == "train-images-idx3-ubyte: " + expected)
  }

  @Test func noLabelsAreReported() throws {
    #expect(
      try message(folder(labels: idxLabels([])))
        == "train-labels-idx1-ubyte: byte 4: 0 labels, expected 1 to 100000000")
  }

  @Test func truncatedFilesAreReported() throws {
    #expect(
      try message(folder(images: Array(idxImages(count: 2, rows: 3, columns: 4).dropLast())))
        == "train-images-idx3-ubyte: byte 39: truncated, 39 bytes, expected 40; fetch the file again")
    #expect(
      try message(folder(images: Array(idxImages(count: 2, rows: 3, columns: 4)[..<15])))
        == "train-images-idx3-ubyte: byte 15: truncated, 15 bytes, expected 16; fetch the file again")
    #expect(
      try message(folder(images: []))
        == "train-images-idx3-ubyte: byte 0: truncated, 0 bytes, expected 16; fetch the file again")
    #expect(
      try message(folder(labels: Array(idxLabels([1, 2]).dropLast())))
        == "train-labels-idx1-ubyte: byte 9: truncated, 9 bytes, expected 10; fetch the file again")
  }

  @Test func anEnormousSetIsRefusedByTheFilesLength() throws {
    let images = idx(magic: 0x803, sizes: [100_000_000, 1024, 1024], elements: [1, 2, 3])
    #expect(
      try message(folder(images: images))
        == "train-images-idx3-ubyte: byte 19: truncated, 19 bytes, expected 104857600000016; fetch the file again")
  }

  @Test func trailingBytesAreReported() throws {
    #expect(
      try message(folder(images: idxImages(count: 2, rows: 3, columns: 4) + [0]))
        == "train-images-idx3-ubyte: byte 40: 1 bytes after the end of the data, expected none")
    #expect(
      try message(folder(labels: idxLabels([1, 2]) + [3, 4, 5]))
        == "train-labels-idx1-ubyte: byte 10: 3 bytes after the end of the data, expected none")
  }

  @Test func labelsOutOfRangeAreReported() throws {
    #expect(
      try message(folder(labels: idxLabels([9, 10])))
        == "train-labels-idx1-ubyte: byte 9: label 10 of image 1, expected 0 to 9")
  }

  @Test func offsetsInPackedFilesCountUnpackedBytes() throws {
    let folder = try TemporaryFolder()
    try folder.write(idxImages(count: 2, rows: 3, columns: 4), to: "train-images-idx3-ubyte")
    try folder.write(gzip(idxLabels([10, 1])), to: "train-labels-idx1-ubyte.gz")
    #expect(
      try message(folder)
        == "train-labels-idx1-ubyte.gz: byte 8 of the unpacked data: label 10 of image 0, expected 0 to 9")
  }

  @Test func imagesAndLabelsThatDifferInNumberAreReported() throws {
    #expect(
      try message(folder(labels: idxLabels([1, 2, 3])))
        == "train-labels-idx1-ubyte: 3 labels, expected 2, one for each image of train-images-idx3-ubyte")
  }
}
