import Foundation
import Testing

import Datasets

@Suite struct ImageSetTests {
  @Test(arguments: [(Split.train, 450), (Split.test, 50)])
  func theEmbeddedDigitsAreComplete(split: Split, perClass: Int) throws {
    let set = try ImageDataset.load(set: .digits, split: split)
    #expect(set.name == "digits" && set.count == 10 * perClass)
    #expect(set.size.rows == 28 && set.size.columns == 28 && set.channels == 1 && set.levels == 256)
    var histogram = [Int](repeating: 0, count: 10)
    for label in set.labels { histogram[Int(label)] += 1 }
    #expect(histogram == [Int](repeating: perClass, count: 10))
    // Mostly black paper with white strokes: MNIST's mean is 33.3.
    let pixels = try set.pixels
    let mean = Double(pixels.reduce(0) { $0 + Int($1) }) / Double(pixels.count)
    #expect(mean > 32 && mean < 35)
  }

  @Test func theSplitsOfTheDigitsShareNoImage() throws {
    let train = try ImageDataset.load(set: .digits, split: .train)
    let test = try ImageDataset.load(set: .digits, split: .test)
    let seen = Set(try (0..<train.count).map { try train.pixels(of: $0) })
    #expect(seen.count == train.count)
    #expect(try (0..<test.count).allSatisfy { !seen.contains(try test.pixels(of: $0)) })
  }

  @Test func digitsFarFromTheirExecutableAreReported() throws {
    let folder = try TemporaryFolder()
    let error = try #require(throws: DatasetError.self) {
      try EmbeddedDigits.folder(nextToExecutableIn: URL(fileURLWithPath: folder.path))
    }
    #expect(
      error.description
        == "\(folder.path)/lmconv_Datasets.resources/digits: no such folder; "
        + "keep the embedded digits next to the executable, or name a folder of digits")
  }

  @Test func setsThatAreNotEmbeddedNeedAFolder() throws {
    for set in [ImageSet.mnist, .cifar10] {
      let error = try #require(throws: DatasetError.self) { try ImageDataset.load(set: set, split: .train) }
      #expect(
        error.description
          == "data set '\(set.rawValue)' is not embedded; name the folder that holds its files")
    }
  }

  @Test func everySetIsReadFromAFolder() throws {
    let folder = try TemporaryFolder()
    try folder.write(idxImages(count: 2, rows: 3, columns: 4), to: "t10k-images-idx3-ubyte")
    try folder.write(idxLabels([0, 1]), to: "t10k-labels-idx1-ubyte")
    try folder.write([UInt8](repeating: 0, count: 3073), to: "test_batch.bin")
    for (set, count) in [(ImageSet.digits, 2), (.mnist, 2), (.cifar10, 1)] {
      let dataset = try ImageDataset.load(set: set, folder: folder.path, split: .test, bits: 5)
      #expect(dataset.name == set.rawValue && dataset.count == count && dataset.levels == 32)
    }
  }
}
