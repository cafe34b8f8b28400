import Foundation

/// A folder that is removed with this value.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-\(UUID().uuidString)").path

  init() throws { try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true) }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind \(path): \(error)") }
  }
}
