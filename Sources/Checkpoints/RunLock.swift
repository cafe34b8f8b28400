import Foundation

/// The right to train in a run folder: a lock on its file `lock`, which the system drops when the process ends, however it
/// ends. The file stays, and tells who holds the run.
///
/// Held until the last reference goes; `CheckpointWriter` keeps one.
public final class RunLock: Sendable {
  /// The run's folder.
  public let runFolder: String
  private let descriptor: Int32

  /// Creates the folder if there is none, and locks it.
  ///
  /// - Throws: `CheckpointError.inUse` when another process trains in it; when the folder or file cannot be created.
  public init(runFolder: String) throws(CheckpointError) {
    self.runFolder = CheckpointStore(runFolder: runFolder).runFolder
    let path = self.runFolder + "/lock"
    do throws(FileFailure) {
      try DurableFile.createFolder(self.runFolder)
      descriptor = try Self.locked(path)
    } catch {
      guard error.code == EWOULDBLOCK else { throw .inaccessible(error) }
      throw .inUse(runFolder: self.runFolder, holder: try Self.holder(path))
    }
    do throws(FileFailure) { try Self.writeHolder(to: descriptor, path: path) } catch { throw .inaccessible(error) }
  }

  // Closing drops the lock.
  deinit { close(descriptor) }

  /// Who trains in `runFolder` now, without taking the lock; nil if nobody does.
  ///
  /// - Throws: when the lock's file is there but cannot be read.
  public static func holder(ofRunFolder runFolder: String) throws(CheckpointError) -> String? {
    let path = CheckpointStore(runFolder: runFolder).runFolder + "/lock"
    guard DurableFile.exists(path) else { return nil }
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .inaccessible(FileFailure("open", path)) }
    defer { close(descriptor) }
    if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
    guard errno == EWOULDBLOCK else { throw .inaccessible(FileFailure("lock", path)) }
    return try holder(path)
  }

  private static func locked(_ path: String) throws(FileFailure) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileFailure("create", path) }
    guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
      let failure = FileFailure("lock", path)
      close(descriptor)
      throw failure
    }
    return descriptor
  }

  private static func writeHolder(to descriptor: Int32, path: String) throws(FileFailure) {
    var host = [CChar](repeating: 0, count: 256)
    guard gethostname(&host, host.count - 1) == 0 else { throw FileFailure("name the host in", path) }
    let hostName = String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    let bytes = Array("process \(getpid()) on \(hostName) since \(Date().formatted(.iso8601))\n".utf8)
    guard ftruncate(descriptor, 0) == 0, write(descriptor, bytes, bytes.count) == bytes.count else {
      throw FileFailure("write", path)
    }
  }

  private static func holder(_ path: String) throws(CheckpointError) -> String {
    do throws(FileFailure) {
      let file = try ReadableFile(path)
      let text = String(decoding: try file.next(min(file.byteCount, 1000)), as: UTF8.self)
      // Empty for the moment between locking and writing.
      return text.isEmpty ? "another process" : text.trimmingCharacters(in: .whitespacesAndNewlines)
    } catch { throw .inaccessible(error) }
  }
}
