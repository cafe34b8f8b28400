import Foundation
import Logging
import Synchronization

/// Where log messages of this process go: rank 0 to standard error and, for a run, to its `log.txt`; other ranks only
/// what is wrong, to standard error with their number.
final class RunLog: Sendable {
  private let file: Mutex<FileHandle?> = Mutex(nil)
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
    file.withLock { $0 = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true) }
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
    file.withLock { handle in
      do { try handle?.write(contentsOf: Data("\(time) \(entry)\n".utf8)) } catch {
        // A full disk must not end the training by way of its log; the run's own files report it.
        handle = nil
        FileHandle.standardError.write(Data("warning: log file abandoned: \(error)\n".utf8))
      }
    }
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
