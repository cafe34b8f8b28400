import Foundation

/// Writes the checkpoints of a run and removes those that are no longer kept. Having the run's lock is the right to do so.
///
/// A checkpoint is written to `.tmp-step-XXXXXXXX-PID`, reaches the disk, and is renamed: under its own name it is
/// complete or absent. Where the name is taken, the occupant is first renamed to `.old-step-XXXXXXXX-PID`.
public struct CheckpointWriter: Sendable {
  /// The checkpoints of the run, for reading.
  public let store: CheckpointStore
  /// What is kept.
  public let retention: CheckpointRetention
  // Held so that the run stays locked for as long as something can be written to it.
  private let lock: RunLock

  /// Takes over the run that `lock` is on, and removes or restores what an interrupted process left unfinished.
  ///
  /// - Throws: when the folder cannot be changed.
  public init(lock: RunLock, retention: CheckpointRetention) throws(CheckpointError) {
    self.lock = lock
    self.retention = retention
    store = CheckpointStore(runFolder: lock.runFolder)
    do throws(FileFailure) {
      try DurableFile.createFolder(store.folder)
      try clearLeftovers()
    } catch { throw .inaccessible(error) }
  }

  /// Renames all folders of steps after `step` (all, if nil) to `step-XXXXXXXX.set-aside-N` and returns their new paths.
  ///
  /// To be called with the step that the run goes on from: what is newer is damaged or belongs to a history that is being
  /// left, and must neither be taken for this run's newest nor be lost.
  ///
  /// - Throws: when a folder cannot be renamed.
  public func setAside(newerThan step: Int?) throws(CheckpointError) -> [String] {
    var moved: [String] = []
    for name in try store.names() where step.map({ name.step > $0 }) ?? true {
      do throws(FileFailure) { moved.append(try setAside(store.path(step: name.step))) } catch {
        throw .inaccessible(error)
      }
    }
    return moved
  }

  /// Writes a checkpoint and then removes what is no longer kept.
  ///
  /// - Throws: when it could not be written completely (disk full, read-only, state not representable), or a value is not
  ///   finite: a run cannot go on from that; what was valid before still is.
  @discardableResult
  public func write(_ contents: CheckpointContents) throws(CheckpointError) -> WrittenCheckpoint {
    let step = contents.state.step
    guard lock.isInPlace else { throw .vanished(runFolder: store.runFolder) }
    if let found = contents.firstNotFinite {
      throw .notFinite(path: store.path(step: step), file: found.file, found.value)
    }
    let temporary = scratchPath(".tmp-", step: step)
    do throws(CheckpointError) {
      try fill(temporary, with: contents)
      var written = WrittenCheckpoint(path: store.path(step: step), step: step)
      try install(temporary, &written)
      try removeSuperseded(&written)
      return written
    } catch {
      // The space is needed more than the remains, but why the attempt ended matters more than that they are still there.
      DurableFile.discard(temporary)
      throw lock.isInPlace ? error : .vanished(runFolder: store.runFolder)
    }
  }

  private func fill(_ temporary: String, with contents: CheckpointContents) throws(CheckpointError) {
    do throws(FileFailure) {
      if DurableFile.exists(temporary) { try DurableFile.remove(temporary) }
      try DurableFile.createFolder(temporary)
    } catch { throw .inaccessible(error) }
    var files: [String: CheckpointRecord.File] = [:]
    var checksums: [String: Checksum] = [:]
    for (part, content) in contents.files {
      let header: Data
      do throws(SafetensorsError) { header = try content.encodedHeader() } catch { throw .unusableFile(error) }
      var chunks = [header]
      for (name, tensor) in content.sortedTensors {
        chunks.append(tensor.bytes)
        checksums["\(part.rawValue)/\(name)"] = Checksum(of: tensor.bytes)
      }
      files[part.rawValue] = .init(bytes: chunks.reduce(0) { $0 + $1.count }, header: Checksum(of: header))
      try write(chunks, to: temporary + "/" + part.rawValue)
    }
    let record = CheckpointRecord(state: contents.state, files: files, tensors: checksums)
    let text = try record.encoded(path: store.path(step: contents.state.step))
    try write([text], to: temporary + "/" + CheckpointRecord.fileName)
    do throws(FileFailure) { try DurableFile.synchronizeFolder(temporary) } catch { throw .inaccessible(error) }
  }

  private func write(_ chunks: [Data], to path: String) throws(CheckpointError) {
    do throws(FileFailure) { try DurableFile.write(chunks, to: path) } catch { throw .inaccessible(error) }
  }

  /// Gives the complete folder its name.
  private func install(_ temporary: String, _ written: inout WrittenCheckpoint) throws(CheckpointError) {
    let target = written.path
    do throws(FileFailure) {
      var replaced: String?
      if DurableFile.exists(target + "/" + CheckpointRecord.fileName) {
        let old = scratchPath(".old-", step: written.step)
        try DurableFile.rename(target, to: old)
        replaced = old
      } else if DurableFile.exists(target) {
        written.setAside = try setAside(target)
      }
      do throws(FileFailure) { try DurableFile.rename(temporary, to: target) } catch {
        // If this does not succeed either, the next start restores it.
        if let replaced { try DurableFile.rename(replaced, to: target) }
        throw error
      }
      try DurableFile.synchronizeFolder(store.folder)
      if let replaced, let failure = DurableFile.discard(replaced) { written.notRemoved.append(failure) }
    } catch { throw .inaccessible(error) }
  }

  private func removeSuperseded(_ written: inout WrittenCheckpoint) throws(CheckpointError) {
    var metrics: [Int: Double?] = [:]
    for step in try store.list() {
      // What does not read as a checkpoint of this program is not this program's to remove.
      do throws(CheckpointError) {
        metrics[step] = .some(try CheckpointRecord(contentsOf: store.path(step: step)).state.metric)
      } catch { continue }
    }
    for step in retention.removable(metrics: metrics, written: written.step) {
      let discarded = scratchPath(".tmp-", step: step)
      do throws(FileFailure) {
        // Renamed first: a reader never finds a checkpoint with half its files.
        try DurableFile.rename(store.path(step: step), to: discarded)
        written.removed.append(step)
        try DurableFile.remove(discarded)
      } catch { written.notRemoved.append(error) }
    }
  }

  private func clearLeftovers() throws(FileFailure) {
    for leftover in try DurableFile.names(in: store.folder) {
      let path = store.folder + "/" + leftover
      if leftover.hasPrefix(".tmp-step-") {
        try DurableFile.remove(path)
      } else if leftover.hasPrefix(".old-step-") {
        // `.old-step-XXXXXXXX-PID`: its successor took the name, or was about to.
        let name = leftover.dropFirst(5).split(separator: "-").prefix(2).joined(separator: "-")
        let target = store.folder + "/" + name
        if DurableFile.exists(target) {
          try DurableFile.remove(path)
        } else {
          try DurableFile.rename(path, to: target)
        }
      }
    }
  }

  private func setAside(_ path: String) throws(FileFailure) -> String {
    var number = 1
    while DurableFile.exists("\(path).set-aside-\(number)") { number += 1 }
    let target = "\(path).set-aside-\(number)"
    try DurableFile.rename(path, to: target)
    return target
  }

  private func scratchPath(_ prefix: String, step: Int) -> String {
    "\(store.folder)/\(prefix)\(CheckpointName(step: step).text)-\(getpid())"
  }
}

/// What writing a checkpoint did to the run's folder.
public struct WrittenCheckpoint: Sendable, Equatable {
  /// The folder that was written.
  public let path: String
  /// Optimizer updates done.
  public let step: Int
  /// Where a folder that was no checkpoint, but had this one's name, was moved.
  public internal(set) var setAside: String?
  /// Steps whose checkpoints were removed, as the retention says.
  public internal(set) var removed: [Int] = []
  /// What could not be removed. It takes space, and is tried again when the run is next started.
  public internal(set) var notRemoved: [FileFailure] = []

  package init(path: String, step: Int) {
    self.path = path
    self.step = step
  }
}
