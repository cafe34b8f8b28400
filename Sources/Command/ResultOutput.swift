import Checkpoints
import Foundation
import Imaging
import Training

/// Results on standard output, as JSON.
enum JSONOutput {
  /// Prints `value`, keys sorted; numbers that JSON does not have are the texts inf, -inf and nan.
  static func print(_ value: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    Swift.print(String(decoding: try encoder.encode(value), as: UTF8.self))
  }
}

/// A file that a command is told to write.
struct OutputFile {
  let path: String

  /// Makes the folders above `path`. Called before long work, whose result must not be lost.
  ///
  /// - Throws: when the file could not be written there.
  init(_ path: String) throws {
    self.path = path
    guard !path.isEmpty else { throw CommandError.fileNotWritten(path: "''", reason: "a file needs a name") }
    var isFolder: ObjCBool = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
      throw CommandError.fileNotWritten(path: path, reason: "it is a folder")
    }
    let folder = parentFolder(of: path)
    do { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) } catch {
      throw CommandError.fileNotWritten(path: path, reason: "folder \(folder) cannot be made: \(error.systemReason)")
    }
    guard access(folder, W_OK | X_OK) == 0 else {
      throw CommandError.fileNotWritten(path: path, reason: String(cString: strerror(errno)))
    }
  }

  /// Replaces the file by `text`, completely or not at all.
  func write(_ text: String) throws { try write(Array(text.utf8)) }

  /// Replaces the file by `bytes`, completely or not at all.
  func write(_ bytes: [UInt8]) throws {
    do { try Data(bytes).write(to: URL(fileURLWithPath: path), options: .atomic) } catch {
      throw CommandError.fileNotWritten(path: path, reason: error.systemReason)
    }
  }

  /// Replaces the file by `picture`, completely or not at all.
  func write(_ picture: PNGImage) throws { try picture.write(to: path) }
}
