import Foundation

/// A checkpoint read from its folder, with every byte verified.
public struct Checkpoint: Sendable {
  /// The folder.
  public let path: String
  /// What it holds.
  public let contents: CheckpointContents

  /// Optimizer updates done.
  public var step: Int { contents.state.step }

  /// Reads and verifies the checkpoint in the folder at `path`.
  ///
  /// Without `includingOptimizer`, the moments are neither read nor verified: they are two thirds of the bytes, and
  /// nothing but training needs them.
  ///
  /// - Throws: when the folder holds no checkpoint, a damaged one or one of a newer format.
  public init(contentsOf path: String, includingOptimizer: Bool = true) throws(CheckpointError) {
    let record = try Self.record(in: path)
    var parts: [CheckpointFile: SafetensorsFile] = [:]
    for part in CheckpointFile.allCases where part != .optimizer || includingOptimizer {
      guard let expected = record.files[part.rawValue] else { continue }
      parts[part] = try Self.read(part.rawValue, in: path, expected: expected, checksums: record.tensors) {
        (error) throws(CheckpointError) in throw error
      }
    }
    guard let parameters = parts[.model] else {
      throw .damaged(path: path, .missingFile(CheckpointFile.model.rawValue))
    }
    self.path = path
    contents = CheckpointContents(
      parameters: parameters, ema: parts[.ema], optimizer: parts[.optimizer], state: record.state)
  }

  /// The record of the checkpoint in the folder at `path`, which is called after its step.
  static func record(in path: String) throws(CheckpointError) -> CheckpointRecord {
    let record = try CheckpointRecord(contentsOf: path)
    if let named = CheckpointName(folderName: (path as NSString).lastPathComponent), named.step != record.state.step {
      throw .damaged(path: path, .wrongStep(expected: named.step, found: record.state.step))
    }
    return record
  }

  /// Reads a file of a checkpoint's folder. `report` is told what is not as it was written, and decides whether to go on;
  /// nil if nothing can be read.
  static func read(
    _ name: String, in folder: String, expected: CheckpointRecord.File, checksums: [String: Checksum],
    report: (CheckpointError) throws(CheckpointError) -> Void
  ) throws(CheckpointError) -> SafetensorsFile? {
    let path = folder + "/" + name
    let byteCount: Int
    do throws(FileFailure) { byteCount = try ReadableFile(path).byteCount } catch {
      try report(error.code == ENOENT ? .damaged(path: folder, .missingFile(name)) : .inaccessible(error))
      return nil
    }
    if byteCount != expected.bytes {
      try report(
        .damaged(path: folder, .wrongSize(file: name, expectedBytes: expected.bytes, foundBytes: byteCount)))
    }
    var header = Data()
    let file: SafetensorsFile
    do throws(SafetensorsError) { file = try SafetensorsFile(contentsOf: path, header: &header) } catch {
      try report(.damaged(path: folder, .unreadableFile(error)))
      return nil
    }
    let found = Checksum(of: header)
    if found != expected.header {
      try report(
        .damaged(path: folder, .changedHeader(file: name, expected: "\(expected.header)", found: "\(found)")))
    }
    for (tensorName, tensor) in file.sortedTensors {
      let expected = checksums["\(name)/\(tensorName)"]
      let found = Checksum(of: tensor.bytes)
      guard found != expected else { continue }
      try report(
        .damaged(
          path: folder,
          .changedTensor(
            file: name, name: tensorName, expected: expected?.description ?? "none", found: "\(found)")))
    }
    return file
  }
}
