import Checkpoints
import Foundation

/// The golden data computed by the reference.
public enum Fixtures {
  /// Why fixtures cannot be read.
  public enum Failure: Error, CustomStringConvertible {
    case missingFolder(String)
    case noneMatching(folder: String, prefix: String)
    case noConfiguration(String)

    /// What is missing, and what to do.
    public var description: String {
      switch self {
      case .missingFolder(let folder): return "\(folder): no such folder of fixtures; set LMCONV_FIXTURES"
      case .noneMatching(let folder, let prefix): return "\(folder): no fixture \(prefix)*.safetensors"
      case .noConfiguration(let path): return "\(path): no configuration in its metadata"
      }
    }
  }

  /// `LMCONV_FIXTURES`, or `Tests/Fixtures` of this package.
  public static var folder: String {
    ProcessInfo.processInfo.environment["LMCONV_FIXTURES"] ?? packageRoot + "/Tests/Fixtures"
  }

  /// The package's top folder.
  public static var packageRoot: String {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
      .path
  }

  /// Every fixture whose name starts with `prefix`, in name order; at least one.
  public static func all(prefix: String) throws -> [(name: String, file: SafetensorsFile)] {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw Failure.missingFolder(folder)
    }
    let matching = names.filter { $0.hasPrefix(prefix) && $0.hasSuffix(".safetensors") }.sorted()
    guard !matching.isEmpty else { throw Failure.noneMatching(folder: folder, prefix: prefix) }
    return try matching.map { (String($0.dropLast(12)), try SafetensorsFile(contentsOf: folder + "/" + $0)) }
  }

  /// The value of `key` in the file's metadata, decoded from JSON.
  public static func configuration<Value: Decodable>(
    _ type: Value.Type, of file: SafetensorsFile, key: String = "config"
  ) throws -> Value {
    guard let text = file.metadata[key] else { throw Failure.noConfiguration(file.path) }
    return try JSONDecoder().decode(type, from: Data(text.utf8))
  }
}
