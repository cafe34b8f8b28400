import CZlib
import Foundation

/// A folder of its own for a test, removed with this value.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-tests-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind \(path): \(error)") }
  }

  /// Writes `bytes` to the file `name` and returns its path.
  @discardableResult
  func write(_ bytes: [UInt8], to name: String) throws -> String {
    let file = "\(path)/\(name)"
    try Data(bytes).write(to: URL(fileURLWithPath: file))
    return file
  }
}

/// `bytes` packed as one member of a gzip file.
func gzip(_ bytes: [UInt8]) throws -> [UInt8] {
  let folder = try TemporaryFolder()
  let path = "\(folder.path)/packed.gz"
  let file = gzopen(path, "wb9")
  let written = bytes.withUnsafeBufferPointer { gzwrite(file, $0.baseAddress, UInt32($0.count)) }
  guard gzclose(file) == Z_OK, written == bytes.count else { throw POSIXError(.EIO) }
  return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
}

/// An IDX file: a magic number and sizes, then `elements`.
func idx(magic: UInt32, sizes: [UInt32], elements: [UInt8]) -> [UInt8] {
  ([magic] + sizes).flatMap { value in (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * $0)) } } + elements
}

/// The IDX file of `count` images of `rows` by `columns` whose values count up.
func idxImages(count: Int, rows: Int, columns: Int) -> [UInt8] {
  idx(
    magic: 0x803, sizes: [UInt32(count), UInt32(rows), UInt32(columns)],
    elements: (0..<(count * rows * columns)).map { UInt8(truncatingIfNeeded: $0) })
}

/// The IDX file of `labels`.
func idxLabels(_ labels: [UInt8]) -> [UInt8] { idx(magic: 0x801, sizes: [UInt32(labels.count)], elements: labels) }
