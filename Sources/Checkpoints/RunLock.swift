import Foundation

/// The right to train in a run folder: a lock on its file `lock`, which the system drops when the process ends, however it
/// ends. The file stays, and tells who holds the run.
///
/// Held until the last reference goes; `CheckpointWriter` keeps one.
public final class RunLock: Sendable {
  /// The run's folder.
  public let runFolder: String
  /// Who held the run before and ended without leaving it: by a crash, a kill or a power cut; nil if nobody did.
  public let abandonedBy: String?
  private let descriptor: Int32

  /// How long a process that was killed may take to end, as when the disk still writes for it.
  private static let endingSeconds = 60.0

  /// Creates the folder if there is none, and locks it; a holder that was killed and has not ended yet is waited for.
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
      // Empty for the moment between locking and writing.
      throw .inUse(runFolder: self.runFolder, holder: try Self.holder(path) ?? "another process")
    }
    let former = try Self.holder(path)
    abandonedBy = former.map { holder in
      let elsewhere =
        holder.contains(" on \(Self.hostName) since ")
        ? "" : "; if that process still runs, this file system does not share locks among hosts: stop one of the two"
      return "\(holder), which ended without leaving it\(elsewhere)"
    }
    do throws(FileFailure) { try Self.writeHolder(to: descriptor, path: path) } catch { throw .inaccessible(error) }
  }

  /// Notes that the holder leaves in good order. The lock itself is held until the last reference goes.
  ///
  /// - Throws: when the file cannot be changed.
  public func release() throws(CheckpointError) {
    guard ftruncate(descriptor, 0) == 0 else { throw .inaccessible(FileFailure("write", runFolder + "/lock")) }
  }

  /// Whether the file at the lock's place is still the one that is locked: otherwise the run's folder was removed or
  /// replaced, and nothing that is written there now is protected, or finds the rest of the run.
  var isInPlace: Bool {
    var (own, found) = (stat(), stat())
    return fstat(descriptor, &own) == 0 && stat(runFolder + "/lock", &found) == 0 && own.st_ino == found.st_ino
      && own.st_dev == found.st_dev
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
    return try holder(path) ?? "another process"
  }

  private static func locked(_ path: String) throws(FileFailure) -> Int32 {
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileFailure("create", path) }
    let began = ContinuousClock.now
    while flock(descriptor, LOCK_EX | LOCK_NB) != 0 {
      let failure = FileFailure("lock", path)
      guard failure.code == EWOULDBLOCK, isEnding(path), began.duration(to: .now) < .seconds(endingSeconds) else {
        close(descriptor)
        throw failure
      }
      usleep(20_000)
    }
    return descriptor
  }

  /// Whether the holder that the file at `path` names is a process of this host whose main thread has ended: the process has
  /// no more to do, but keeps its files until its last thread returns from the system.
  private static func isEnding(_ path: String) -> Bool {
    guard let text = beginning(of: path),
      let (_, process, host) = text.firstMatch(of: #/^process (\d+) on (\S+) since /#)?.output, host == hostName,
      let status = beginning(of: "/proc/\(process)/stat")
    else { return false }
    // `pid (name) state ...`, where the name may hold anything.
    let state = status.split(separator: ")").last?.drop { $0 == " " }.first
    return state == "Z" || state == "X"
  }

  /// The beginning of a file, or nil. Foundation's way to read leaks memory when the process that a file tells of ends
  /// meanwhile.
  private static func beginning(of path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1024)
    let count = read(descriptor, &bytes, bytes.count)
    return count < 0 ? nil : String(decoding: bytes[..<count], as: UTF8.self)
  }

  private static func writeHolder(to descriptor: Int32, path: String) throws(FileFailure) {
    let bytes = Array("process \(getpid()) on \(hostName) since \(Date().formatted(.iso8601))\n".utf8)
    guard ftruncate(descriptor, 0) == 0, pwrite(descriptor, bytes, bytes.count, 0) == bytes.count else {
      throw FileFailure("write", path)
    }
  }

  private static var hostName: String {
    var host = [CChar](repeating: 0, count: 256)
    // A longer name is cut, which is as good for a message.
    gethostname(&host, host.count - 1)
    return String(decoding: host.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }

  private static func holder(_ path: String) throws(CheckpointError) -> String? {
    do throws(FileFailure) {
      let file = try ReadableFile(path)
      let text = String(decoding: try file.next(min(file.byteCount, 1000)), as: UTF8.self)
      return text.isEmpty ? nil : text.trimmingCharacters(in: .whitespacesAndNewlines)
    } catch { throw .inaccessible(error) }
  }
}
