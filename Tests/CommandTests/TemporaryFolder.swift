import Foundation

/// A folder of its own for a test, removed with this value.
final class TemporaryFolder: Sendable {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-tests-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind \(path): \(error)") }
  }

  /// Writes `text` to the file `name` and returns its path.
  @discardableResult
  func write(_ text: String, to name: String) throws -> String { try write(Array(text.utf8), to: name) }

  /// Writes `bytes` to the file `name` and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }

  /// The names in the folder, sorted.
  func names(in folder: String = "") throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: "\(path)/\(folder)").sorted()
  }
}

/// Changes of files, as a faulty disk would make them.
enum Damage {
  /// Cuts the file at `path` down to `count` bytes.
  static func truncate(_ path: String, to count: Int) throws {
    try Data(contentsOf: URL(fileURLWithPath: path)).prefix(count).write(to: URL(fileURLWithPath: path))
  }

  /// Flips the lowest bit of the last byte of the file at `path`.
  static func flipLastBit(_ path: String) throws {
    var data = try Data(contentsOf: URL(fileURLWithPath: path))
    data[data.endIndex - 1] ^= 1
    try data.write(to: URL(fileURLWithPath: path))
  }
}
