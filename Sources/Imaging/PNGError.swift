/// Why a PNG file cannot be read or written. Every case names the file.
public enum PNGError: Error, Equatable, CustomStringConvertible {
  /// The system refused to open, read, write or rename the file.
  case inaccessible(path: String, operation: String, reason: String)
  /// libpng cannot decode the file.
  case undecodable(path: String, reason: String)
  /// The file or the picture in it is larger than the reader's limits.
  case tooLarge(path: String, found: String, limit: String)
  /// libpng cannot encode the picture.
  case unencodable(path: String, reason: String)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .inaccessible(let path, let operation, let reason): return "\(path): cannot \(operation): \(reason)"
    case .undecodable(let path, let reason): return "\(path): not a readable PNG file: \(reason)"
    case .tooLarge(let path, let found, let limit): return "\(path): \(found), the limit is \(limit)"
    case .unencodable(let path, let reason): return "\(path): cannot encode the picture: \(reason)"
    }
  }
}
