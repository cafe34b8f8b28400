/// All that is wrong with a checkpoint; reading one for use stops at the first fault.
public struct CheckpointAudit: Sendable {
  /// The checkpoint's folder, or a file of tensors that stands alone.
  public let path: String
  /// Optimizer updates done; nil where no state could be read.
  public private(set) var step: Int?
  /// Version of its format; nil where no state could be read.
  public private(set) var formatVersion: Int?
  /// Tensors that were read.
  public private(set) var tensors = 0
  /// Bytes of these tensors.
  public private(set) var bytes = 0
  /// What is wrong, in the order in which it was found: bytes that are not those that were written, values that are not
  /// finite, a format that this program does not read.
  public private(set) var problems: [CheckpointError] = []

  /// Whether nothing is wrong.
  public var isSound: Bool { problems.isEmpty }

  /// Audits what is at `path`: a run folder (each of its checkpoints, the oldest first), a checkpoint's folder, or a
  /// safetensors file, which has no checksums.
  ///
  /// - Throws: when there is nothing at `path`, or a run has no checkpoint.
  public static func audits(of path: String) throws(CheckpointError) -> [CheckpointAudit] {
    guard DurableFile.isFolder(path) else {
      guard DurableFile.exists(path) else { throw .inaccessible(FileFailure("open", path, code: 2)) }
      return [CheckpointAudit(file: path)]
    }
    let store = CheckpointStore(runFolder: path)
    guard DurableFile.isFolder(store.folder) else { return [CheckpointAudit(folder: store.runFolder)] }
    let names = try store.names()
    guard !names.isEmpty else { throw .noCheckpoint(path: path, reason: "\(store.folder) is empty") }
    return names.map { CheckpointAudit(folder: store.path(step: $0.step)) }
  }

  private init(folder: String) {
    path = folder
    do throws(CheckpointError) {
      let record = try Checkpoint.record(in: folder)
      step = record.state.step
      formatVersion = record.state.formatVersion
      if record.files[CheckpointFile.model.rawValue] == nil {
        problems.append(.damaged(path: folder, .missingFile(CheckpointFile.model.rawValue)))
      }
      for (name, expected) in record.files.sorted(by: { $0.key < $1.key }) {
        var found: [CheckpointError] = []
        if let file = try Checkpoint.read(
          name, in: folder, expected: expected, checksums: record.tensors, report: { found.append($0) })
        {
          add(file, name: name)
        }
        problems += found
      }
    } catch { problems.append(error) }
  }

  private init(file path: String) {
    self.path = path
    do throws(SafetensorsError) { add(try SafetensorsFile(contentsOf: path), name: path) } catch {
      problems.append(.unusableFile(error))
    }
  }

  private mutating func add(_ file: SafetensorsFile, name: String) {
    tensors += file.tensors.count
    bytes += file.tensors.values.reduce(0) { $0 + $1.bytes.count }
    for value in file.notFiniteValues { problems.append(.holdsNotFinite(path: path, file: name, value)) }
  }
}
