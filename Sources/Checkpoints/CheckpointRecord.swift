import Foundation

/// The files of tensors in a checkpoint's folder.
enum CheckpointFile: String, CaseIterable {
  case model = "model.safetensors"
  case ema = "ema.safetensors"
  case optimizer = "optimizer.safetensors"
}

/// The content of `state.json`: the state, and what each file must look like.
///
/// Together the size, the checksum of the header and those of the tensors cover every byte of a file. The record covers
/// itself: `checksum` is that of the whole text with eight zeros in its own place. A program of any format can so tell
/// damage from a newer version.
package struct CheckpointRecord: Codable {
  static let fileName = "state.json"

  struct File: Codable, Equatable {
    let bytes: Int
    /// Of the bytes before the first tensor.
    let header: Checksum
  }

  let state: CheckpointState
  /// By file name.
  let files: [String: File]
  /// By `file/tensor`.
  let tensors: [String: Checksum]
  private var checksum = unsealed

  private static let unsealed = "00000000"
  // No string inside the record can contain this: its quotes would be escaped.
  private static let checksumField = Data(#""checksum" : ""#.utf8)

  init(state: CheckpointState, files: [String: File], tensors: [String: Checksum]) {
    self.state = state
    self.files = files
    self.tensors = tensors
  }

  /// The text of the record of the checkpoint at `path`, with its checksum.
  func encoded(path: String) throws(CheckpointError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    do {
      return try Self.sealed(encoder.encode(self), path: path)
    } catch EncodingError.invalidValue(let value, let context) {
      let key = context.codingPath.last?.stringValue ?? "the state"
      throw .invalidState(path: path, reason: "\(key) is \(value)")
    } catch {
      throw .invalidState(path: path, reason: "\(error)")
    }
  }

  /// `text` with the right checksum in place of whatever is there.
  package static func sealed(_ text: Data, path: String) throws(CheckpointError) -> Data {
    let digits = try checksumDigits(in: text, path: path)
    var sealed = text
    sealed.replaceSubrange(digits, with: Data(unsealed.utf8))
    sealed.replaceSubrange(digits, with: Data(Checksum(of: sealed).description.utf8))
    return sealed
  }

  /// Checks and decodes `text`, read from the checkpoint at `path`.
  package init(text: Data, path: String) throws(CheckpointError) {
    let digits = try Self.checksumDigits(in: text, path: path)
    let sealed = try Self.sealed(text, path: path)
    guard sealed[digits] == text[digits] else {
      throw .damaged(
        path: path,
        .changedState(
          expected: String(decoding: text[digits], as: UTF8.self),
          found: String(decoding: sealed[digits], as: UTF8.self)))
    }
    let decoder = JSONDecoder()
    do {
      let version = try decoder.decode(VersionOnly.self, from: text).state.formatVersion
      guard version <= CheckpointState.currentFormatVersion else {
        throw CheckpointError.newerFormat(
          path: path, found: version, supported: CheckpointState.currentFormatVersion)
      }
      self = try decoder.decode(CheckpointRecord.self, from: text)
    } catch let error as CheckpointError {
      throw error
    } catch {
      throw .damaged(path: path, .unreadableState(reason: "\(error)"))
    }
  }

  /// Reads and checks the record of the checkpoint in `folder`.
  init(contentsOf folder: String) throws(CheckpointError) {
    let path = folder + "/" + Self.fileName
    let text: Data
    do throws(FileFailure) {
      let file = try ReadableFile(path)
      text = try file.next(file.byteCount)
    } catch {
      guard error.code == ENOENT, DurableFile.isFolder(folder) else { throw .inaccessible(error) }
      throw .notACheckpoint(path: folder)
    }
    try self.init(text: text, path: folder)
  }

  private struct VersionOnly: Decodable {
    struct State: Decodable { let formatVersion: Int }
    let state: State
  }

  private static func checksumDigits(in text: Data, path: String) throws(CheckpointError) -> Range<Data.Index> {
    guard let field = text.range(of: checksumField), text.endIndex - field.upperBound >= unsealed.utf8.count else {
      throw .damaged(path: path, .unreadableState(reason: "no checksum in \(text.count) bytes"))
    }
    return field.upperBound..<(field.upperBound + unsealed.utf8.count)
  }
}
