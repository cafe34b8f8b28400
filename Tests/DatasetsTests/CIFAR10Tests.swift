import Foundation
import Testing

import Datasets

@Suite struct CIFAR10Tests {
  /// A record whose value at (row, column, channel) is a function of the three and of `label`.
  private func record(label: UInt8) -> [UInt8] {
    var bytes = [label]
    for channel in 0..<3 {
      for row in 0..<32 { for column in 0..<32 { bytes.append(value(label, row, column, channel)) } }
    }
    return bytes
  }

  private func value(_ label: UInt8, _ row: Int, _ column: Int, _ channel: Int) -> UInt8 {
    UInt8(truncatingIfNeeded: Int(label) + 7 * row + 31 * column + 101 * channel)
  }

  private func message(_ folder: TemporaryFolder, _ split: Split = .test) throws -> String {
    let error = try #require(throws: DatasetError.self) { try CIFAR10.load(folder: folder.path, split: split) }
    return error.description.replacingOccurrences(of: folder.path + "/", with: "")
  }

  @Test func planesBecomeChannelsOfPixelsInTheOrderOfTheBatches() throws {
    let folder = try TemporaryFolder()
    for batch in 1...5 {
      try folder.write(
        record(label: UInt8(batch)) + record(label: UInt8(batch + 3)), to: "data_batch_\(batch).bin")
    }
    let set = try CIFAR10.load(folder: folder.path, split: .train)
    #expect(set.count == 10 && set.size.rows == 32 && set.size.columns == 32 && set.channels == 3)
    #expect(set.labels == [1, 4, 2, 5, 3, 6, 4, 7, 5, 8])
    var expected: [UInt8] = []
    for label in set.labels {
      for row in 0..<32 {
        for column in 0..<32 { for channel in 0..<3 { expected.append(value(label, row, column, channel)) } }
      }
    }
    #expect(try firstDifference(set.pixels, expected) == nil)
  }

  @Test func theTestSplitIsItsOwnFile() throws {
    let folder = try TemporaryFolder()
    try folder.write(record(label: 9), to: "test_batch.bin")
    #expect(try CIFAR10.load(folder: folder.path, split: .test).labels == [9])
  }

  @Test func missingBatchesAreAllNamed() throws {
    let folder = try TemporaryFolder()
    for batch in [1, 3, 4] { try folder.write(record(label: 0), to: "data_batch_\(batch).bin") }
    #expect(
      try message(folder, .train)
        == "\(folder.path): found no data_batch_2.bin, data_batch_5.bin; name the folder that holds the set's files")
  }

  @Test func aRecordCutShortIsReportedWithItsPlace() throws {
    let folder = try TemporaryFolder()
    try folder.write(Array((record(label: 1) + record(label: 2)).dropLast(73)), to: "test_batch.bin")
    #expect(
      try message(folder)
        == "test_batch.bin: byte 3073: a record of 3000 bytes, expected 3073; fetch the file again")
  }

  @Test func anEmptyFileIsReported() throws {
    let folder = try TemporaryFolder()
    try folder.write([], to: "test_batch.bin")
    #expect(
      try message(folder) == "test_batch.bin: byte 0: a record of 0 bytes, expected 3073; fetch the file again")
  }

  @Test func labelsOutOfRangeAreReportedWithTheirRecord() throws {
    let folder = try TemporaryFolder()
    try folder.write(record(label: 1) + record(label: 2) + record(label: 10), to: "test_batch.bin")
    #expect(try message(folder) == "test_batch.bin: byte 6146: label 10 of image 2, expected 0 to 9")
  }
}
