import Foundation

/// Why a run ended, for the launcher that has to decide whether to start it again: the run folder's `failure.json`.
///
/// Who fails first writes it, since other ranks fail in consequence. A run removes it when it starts.
public struct FailureRecord: Codable, Sendable, Equatable {
  /// The step that failed, numbered as in `metrics.jsonl`, or the last one where the failure is after it; nil before training.
  public let step: Int?
  /// The kind of failure, the same for the same kind: the error's type and case, such as `TrainingError.unfitStep`.
  public let reason: String
  /// What happened, for people.
  public let message: String
  /// The rank that failed.
  public let rank: Int
  /// Its host.
  public let host: String
  /// When, in ISO 8601.
  public let time: String

  /// The record of `error`, which `message` describes.
  public init(_ error: any Error, message: String, step: Int?, rank: Int, host: String) {
    self.init(reason: Self.reason(error), message: message, step: step, rank: rank, host: host)
  }

  /// The record of a failure that is no error's.
  public init(reason: String, message: String, step: Int?, rank: Int, host: String) {
    self.step = step
    self.reason = reason
    self.message = message
    self.rank = rank
    self.host = host
    time = Date.now.formatted(.iso8601)
  }

  /// The type and, if it has values, the case of `error`.
  private static func reason(_ error: any Error) -> String {
    let mirror = Mirror(reflecting: error)
    let type = String(describing: type(of: error))
    guard mirror.displayStyle == .enum, let label = mirror.children.first?.label else { return type }
    return "\(type).\(label)"
  }

  /// Writes the record for the run in `folder`, completely or not at all, unless another rank was first or the folder
  /// does not exist: on another host than the first it need not.
  ///
  /// - Throws: when it cannot be written.
  public func write(to folder: RunFolder) throws(RunFolderError) {
    var status = stat()
    guard stat(folder.path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else { return }
    let temporary = "\(folder.failure).\(rank).new"
    do {
      let encoder = JSONEncoder()
      // One key a line, which shell scripts can read.
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      var text = try encoder.encode(self)
      text.append(0x0A)
      try text.write(to: URL(fileURLWithPath: temporary))
    } catch { throw .notWritten(path: temporary, reason: error.systemReason) }
    defer { unlink(temporary) }
    // Unlike renaming, this leaves what is there.
    guard link(temporary, folder.failure) == 0 || errno == EEXIST else {
      throw .notWritten(path: folder.failure, reason: String(cString: strerror(errno)))
    }
  }

  /// Removes what an earlier attempt of the run in `folder` left.
  ///
  /// - Throws: when it cannot be removed.
  public static func clear(_ folder: RunFolder) throws(RunFolderError) {
    guard unlink(folder.failure) == 0 || errno == ENOENT || errno == ENOTDIR else {
      throw .notWritten(path: folder.failure, reason: String(cString: strerror(errno)))
    }
  }
}
