import Foundation
import Logging
import Synchronization
import Training

/// Where log messages of this process go: rank 0 to standard error and, for a run, to its `log.txt`; other ranks only
/// what is wrong, to standard error with their number.
final class RunLog: Sendable {
  /// The run's `log.txt`.
  private struct LogFile: ~Copyable {
    let path: String
    let handle: FileHandle
    /// Messages that could not be written since the last one that could.
    var lost = 0

    init(path: String, handle: FileHandle) {
      self.path = path
      self.handle = handle
    }

    /// A full disk must not end the training by way of its log: that is left to the run's own files. But what is lost is
    /// said, here and, once there is room again, there.
    mutating func append(_ line: String, time: String) {
      do {
        if lost > 0 {
          try handle.write(contentsOf: Data("\(time) warning \(lost) messages before this one are lost\n".utf8))
          lost = 0
        }
        try handle.write(contentsOf: Data("\(time) \(line)\n".utf8))
      } catch {
        lost += 1
        guard lost == 1 else { return }
        let warning = "warning: \(path) cannot be written: \(error.systemReason); messages are shown here alone\n"
        FileHandle.standardError.write(Data(warning.utf8))
      }
    }
  }

  private let file: Mutex<LogFile?> = Mutex(nil)
  private let rank: Int
  private let size: Int

  init(rank: Int, size: Int) {
    self.rank = rank
    self.size = size
  }

  /// A logger that writes here.
  func logger(level: Logger.Level) -> Logger {
    var logger = Logger(label: "lmconv") { _ in Handler(log: self) }
    logger.logLevel = rank == 0 ? level : max(level, .warning)
    return logger
  }

  /// Also appends to the file at `path` from now on.
  ///
  /// - Throws: when it cannot be opened.
  func append(to path: String) throws {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw CommandError.fileNotWritten(path: path, reason: String(cString: strerror(errno)))
    }
    let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    file.withLock { $0 = LogFile(path: path, handle: handle) }
  }

  fileprivate func write(_ level: Logger.Level, _ message: String) {
    let plain = level >= .warning ? "\(level): \(message)" : message
    let prefix = size > 1 && rank > 0 ? "rank \(rank): " : ""
    FileHandle.standardError.write(Data((prefix + plain + "\n").utf8))
    record("\(level) \(prefix)\(message)")
  }

  /// Writes `entry` to the file alone.
  func record(_ entry: String) {
    let time = Date.now.formatted(.iso8601)
    file.withLock { $0?.append(entry, time: time) }
  }

  private struct Handler: LogHandler {
    let log: RunLog
    var logLevel = Logger.Level.info
    var metadata: Logger.Metadata = [:]

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    func log(event: LogEvent) { log.write(event.level, "\(event.message)") }
  }
}
