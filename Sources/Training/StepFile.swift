import Foundation

/// `step.txt`: the number of steps done, kept up to date so that it can be told at which step a killed run was. Not a
/// checkpoint: the system writes it when it likes.
final class StepFile {
  private let path: String
  private let descriptor: Int32
  // As wide as any step, and the line's end.
  private var text = [UInt8](repeating: 0x20, count: 20) + [0x0A]

  /// Opens the file, made if absent, and writes `step`.
  ///
  /// - Throws: when it cannot be written.
  init(path: String, step: Int) throws(RunFolderError) {
    self.path = path
    descriptor = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .notWritten(path: path, reason: String(cString: strerror(errno))) }
    try write(step)
  }

  deinit { close(descriptor) }

  /// Replaces the number; allocates nothing.
  ///
  /// - Throws: when it cannot be written.
  func write(_ step: Int) throws(RunFolderError) {
    var rest = step
    for place in stride(from: text.count - 2, through: 0, by: -1) {
      text[place] = rest > 0 || place == text.count - 2 ? UInt8(0x30 + rest % 10) : 0x20
      rest /= 10
    }
    guard pwrite(descriptor, text, text.count, 0) == text.count else {
      throw .notWritten(path: path, reason: String(cString: strerror(errno)))
    }
  }
}
