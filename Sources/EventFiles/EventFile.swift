import Foundation
import SwiftProtobuf
import TensorFlowFormats

/// A TensorBoard event file, written record by record. Each process that goes on with a run makes a new one in the run's
/// folder: TensorBoard reads a folder's files in the order of their names as one series.
public final class EventFile {
  /// The file.
  public let path: String
  private let descriptor: Int32

  /// Makes a new file in `folder`, itself made if absent, for a run that goes on with step `firstStep`: what earlier files
  /// hold of it and of later steps is void from now on.
  ///
  /// - Throws: when it cannot be made.
  public init(folder: String, firstStep: Int) throws(EventFileError) {
    do {
      try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    } catch { throw .notWritten(path: folder, reason: error.localizedDescription) }
    path = "\(folder)/\(try Self.newName(in: folder))"
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .notWritten(path: path, reason: String(cString: strerror(errno))) }
    try append(.version)
    try goBack(to: firstStep)
  }

  deinit { close(descriptor) }

  /// The event files of `folder`, in TensorBoard's order; none if there is no such folder.
  ///
  /// - Throws: when it cannot be read.
  public static func names(in folder: String) throws(EventFileError) -> [String] {
    guard FileManager.default.fileExists(atPath: folder) else { return [] }
    do {
      return try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasPrefix(prefix) }.sorted()
    } catch { throw .notWritten(path: folder, reason: error.localizedDescription) }
  }

  /// Shows `values`, by tag, at `step`.
  ///
  /// - Throws: when they cannot be written.
  public func append(step: Int, _ values: [(tag: String, value: SummaryValue)]) throws(EventFileError) {
    try append(.summary(step: step, values))
  }

  /// Makes void what was shown of `firstStep` and later steps, which the run takes once more.
  ///
  /// - Throws: when it cannot be written.
  public func goBack(to firstStep: Int) throws(EventFileError) { try append(.start(firstStep: firstStep)) }

  private static let prefix = "events.out.tfevents."

  /// A name that comes after those of all files in `folder`, also where clocks disagree or two attempts begin within a
  /// second.
  private static func newName(in folder: String) throws(EventFileError) -> String {
    let newest = try names(in: folder).compactMap { Int($0.dropFirst(prefix.count).prefix { $0 != "." }) }.max()
    let seconds = max(Int(Date.now.timeIntervalSince1970), (newest ?? 0) + 1)
    let digits = String(seconds)
    let padding = String(repeating: "0", count: max(0, 10 - digits.count))
    return "\(prefix)\(padding)\(digits).\(ProcessInfo.processInfo.hostName).\(getpid())"
  }

  private func append(_ event: Event) throws(EventFileError) {
    let message = event.message(seconds: Date.now.timeIntervalSince1970)
    let payload: [UInt8]
    do { payload = try message.serializedBytes() } catch { throw .notWritten(path: path, reason: "\(error)") }
    let record = RecordFrame.around(payload)
    var written = 0
    while written < record.count {
      let count = record.withUnsafeBytes {
        write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      guard count >= 0 else {
        if errno == EINTR { continue }
        throw .notWritten(path: path, reason: String(cString: strerror(errno)))
      }
      written += count
    }
    // Writing to a file whose folder was removed succeeds, and is lost.
    var status = stat()
    guard fstat(descriptor, &status) == 0 && status.st_nlink > 0 else {
      throw .notWritten(path: path, reason: "it was removed while the run goes on")
    }
  }
}

/// Why an event file cannot be used.
public enum EventFileError: Error, Equatable, CustomStringConvertible {
  /// It, or its folder, cannot be written.
  case notWritten(path: String, reason: String)

  /// What happened, where.
  public var description: String {
    switch self {
    case .notWritten(let path, let reason): return "\(path) cannot be written: \(reason)"
    }
  }
}
