import Checkpoints
import Foundation

/// The files of a run: `config.yaml`, `metrics.jsonl`, `log.txt`, `checkpoints/`, `tensorboard/`, `pictures/`,
/// `step.txt`, and `failure.json` after a failure.
public struct RunFolder: Sendable {
  /// The folder.
  public let path: String

  /// The run in folder `path`.
  public init(_ path: String) { self.path = path }

  /// The resolved configuration.
  public var configuration: String { path + "/config.yaml" }
  /// One JSON object per recorded step, evaluation or event.
  public var metrics: String { path + "/metrics.jsonl" }
  /// Everything logged.
  public var log: String { path + "/log.txt" }
  /// How many steps are done.
  public var step: String { path + "/step.txt" }
  /// Why the run failed, if it did.
  public var failure: String { path + "/failure.json" }
  /// Checkpoints, a folder each.
  public var checkpoints: String { path + "/checkpoints" }
  /// TensorBoard's event files.
  public var events: String { path + "/tensorboard" }
  /// Pictures made from the run.
  public var pictures: String { path + "/pictures" }

  /// Makes the folder with all parents.
  ///
  /// - Throws: when it cannot be made or is not a folder.
  public func create() throws {
    do {
      try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    } catch { throw RunFolderError.notCreated(path: path, reason: error.systemReason) }
  }

  /// The file of a picture called `name` that the model made after `step`, such as `pictures/step-00000100-samples.png`.
  package func picture(_ name: String, step: Int) -> String {
    "\(pictures)/\(CheckpointName(step: step).text)-\(name).png"
  }

  /// The picture of the test orders.
  package var orderPicture: String { pictures + "/orders.png" }

  /// Makes the folder of the pictures.
  ///
  /// - Throws: when it cannot be made.
  func createPictures() throws { try RunFolder(pictures).create() }

  /// Whether the run could write its files, without writing any.
  ///
  /// - Returns: free bytes of the file system that the folder is, or would be made, on.
  /// - Throws: when the folder cannot be made or written.
  public func freeBytes() throws -> Int {
    var place = path
    var status = stat()
    while stat(place, &status) != 0 {
      let parent = parentFolder(of: place)
      // The working folder itself may have been removed.
      guard errno == ENOENT && parent != place else { throw systemError(place) }
      place = parent
    }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      throw RunFolderError.notCreated(path: path, reason: "\(place) is a file")
    }
    guard access(place, W_OK | X_OK) == 0 else { throw systemError(place) }
    var system = statvfs()
    guard statvfs(place, &system) == 0 else { throw systemError(place) }
    return Int(system.f_bavail) * Int(system.f_frsize)
  }

  private func systemError(_ place: String) -> RunFolderError {
    let reason = String(cString: strerror(errno))
    return place == path
      ? .notWritten(path: path, reason: reason) : .notCreated(path: path, reason: "\(place): \(reason)")
  }

  /// Replaces the file at `file` by `text`, completely or not at all.
  ///
  /// - Throws: when it cannot be written.
  public func write(_ text: String, to file: String) throws {
    do { try Data(text.utf8).write(to: URL(fileURLWithPath: file), options: .atomic) } catch {
      throw RunFolderError.notWritten(path: file, reason: error.systemReason)
    }
  }
}

/// Why a run's folder cannot be used.
public enum RunFolderError: Error, Equatable, CustomStringConvertible {
  /// The folder cannot be made.
  case notCreated(path: String, reason: String)
  /// A file cannot be written.
  case notWritten(path: String, reason: String)
  /// A file cannot be read.
  case notRead(path: String, reason: String)

  /// What happened, where.
  public var description: String {
    switch self {
    case .notCreated(let path, let reason): return "run folder \(path) cannot be made: \(reason)"
    case .notWritten(let path, let reason): return "\(path) cannot be written: \(reason)"
    case .notRead(let path, let reason): return "\(path) cannot be read: \(reason)"
    }
  }
}
