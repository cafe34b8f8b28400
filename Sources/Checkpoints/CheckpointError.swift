/// Why a checkpoint cannot be read or written. Every case names the file or folder.
public enum CheckpointError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A file or folder cannot be read or written: missing, not permitted, disk full.
  case inaccessible(FileFailure)
  /// A file that stands alone cannot be used.
  case unusableFile(SafetensorsError)
  /// The run has no checkpoint of the kind asked for.
  case noCheckpoint(path: String, reason: String)
  /// A folder that holds no checkpoint.
  case notACheckpoint(path: String)
  /// Written by a newer program.
  case newerFormat(path: String, found: Int, supported: Int)
  /// The content is not what was written.
  case damaged(path: String, CheckpointDamage)
  /// The tensors are not those of this model.
  case mismatch(path: String, [TensorMismatch])
  /// The checkpoint was written without a part that is needed.
  case missingPart(path: String, file: String)
  /// The state has a value that cannot be written, such as a metric that is not a number.
  case invalidState(path: String, reason: String)
  /// A value of the run is infinite or not a number, so that its checkpoint was not written.
  case notFinite(path: String, file: String, NotFiniteValue)
  /// A checkpoint or file holds a value that is infinite or not a number.
  case holdsNotFinite(path: String, file: String, NotFiniteValue)
  /// The run's folder, or the lock in it, is no longer the one that was locked.
  case vanished(runFolder: String)
  /// Another process trains in this run folder.
  case inUse(runFolder: String, holder: String)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .inaccessible(let failure): return "\(failure)"
    case .unusableFile(let error): return "\(error)"
    case .noCheckpoint(let path, let reason): return "\(path): no checkpoint: \(reason)"
    case .notACheckpoint(let path):
      return "\(path): not a checkpoint: it has no state.json; "
        + "name a run folder, one of its checkpoints/step-XXXXXXXX, or a .safetensors file"
    case .newerFormat(let path, let found, let supported):
      return "checkpoint \(path): written in format \(found), this program reads formats up to \(supported); "
        + "use a newer program or an older checkpoint"
    case .damaged(let path, let damage): return "checkpoint \(path) is damaged: \(damage)"
    case .mismatch(let path, let mismatches):
      let named = mismatches.prefix(5).map(\.description).joined(separator: "; ")
      let more = mismatches.count > 5 ? "; and \(mismatches.count - 5) more" : ""
      return "checkpoint \(path): \(named)\(more)"
    case .missingPart(let path, let file): return "checkpoint \(path): it was written without \(file)"
    case .invalidState(let path, let reason): return "checkpoint \(path): its state cannot be written: \(reason)"
    case .notFinite(let path, let file, let value):
      return "checkpoint \(path): not written: \(value) in \(file); the checkpoint before it was left alone: lower "
        + "training.learning_rate, or set guard.policy to rollback, and go on from there"
    case .holdsNotFinite(let path, let file, let value):
      return path == file ? "\(path): \(value)" : "checkpoint \(path): \(value) in \(file)"
    case .vanished(let folder):
      return
        "run folder \(folder) was removed or replaced while the run goes on; nothing more is written there: restore "
        + "it, or start again with another --run-dir"
    case .inUse(let folder, let holder):
      return "run folder \(folder) is in use by \(holder); wait for it, stop it, or choose another run folder"
    }
  }
}

/// How a checkpoint differs from what was written.
public enum CheckpointDamage: Equatable, Sendable, CustomStringConvertible {
  /// A file is gone.
  case missingFile(String)
  /// A file has another size than was written.
  case wrongSize(file: String, expectedBytes: Int, foundBytes: Int)
  /// The bytes before a file's first tensor changed.
  case changedHeader(file: String, expected: String, found: String)
  /// A tensor's bytes changed.
  case changedTensor(file: String, name: String, expected: String, found: String)
  /// `state.json` changed.
  case changedState(expected: String, found: String)
  /// `state.json` is not of the format.
  case unreadableState(reason: String)
  /// A file of tensors is not of the format.
  case unreadableFile(SafetensorsError)
  /// The folder's name says another step than the state in it.
  case wrongStep(expected: Int, found: Int)

  /// What is wrong, without the checkpoint's path.
  public var description: String {
    switch self {
    case .missingFile(let file): return "\(file) is missing"
    case .wrongSize(let file, let expected, let found):
      return "\(file) has \(found) bytes, \(expected) were written"
    case .changedHeader(let file, let expected, let found):
      return "the header of \(file) has checksum \(found), \(expected) was written"
    case .changedTensor(let file, let name, let expected, let found):
      return "'\(name)' in \(file) has checksum \(found), \(expected) was written"
    case .changedState(let expected, let found):
      return "state.json has checksum \(found), \(expected) was written"
    case .unreadableState(let reason): return "state.json: \(reason)"
    case .unreadableFile(let error): return "\(error)"
    case .wrongStep(let expected, let found): return "state.json is of step \(found), the folder of step \(expected)"
    }
  }
}

/// How one tensor of a file differs from what a model needs.
public enum TensorMismatch: Equatable, Sendable, CustomStringConvertible {
  /// The file has the tensor in another shape.
  case shape(name: String, found: [Int], needed: [Int])
  /// The file has the tensor in another element type than F32.
  case type(name: String, found: String)
  /// The file lacks the tensor.
  case missing(name: String, needed: [Int])
  /// The model has no such parameter.
  case unexpected(name: String, found: [Int])

  /// What differs, without the path.
  public var description: String {
    switch self {
    case .shape(let name, let found, let needed): return "'\(name)' is \(found), this model needs \(needed)"
    case .type(let name, let found): return "'\(name)' is \(found), this model needs F32"
    case .missing(let name, let needed): return "'\(name)' is missing, this model needs \(needed)"
    case .unexpected(let name, let found): return "'\(name)' \(found) is not a parameter of this model"
    }
  }
}
