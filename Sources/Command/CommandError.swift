import Orders

/// What stops a subcommand, apart from the errors of the modules it drives.
enum CommandError: Error, CustomStringConvertible {
  case fileNotWritten(path: String, reason: String)
  case noConfiguration(path: String)
  case noAverage(path: String)
  case imagesOutside(first: Int, count: Int, available: Int)
  case emptyRegion(String)
  case interrupted(String)

  var description: String {
    switch self {
    case .fileNotWritten(let path, let reason): return "\(path) cannot be written: \(reason)"
    case .noConfiguration(let path):
      return "\(path) does not say which network its parameters are of; pass --config FILE"
    case .noAverage(let path): return "\(path) has no moving average of the parameters; pass --weights raw"
    case .imagesOutside(let first, let count, let available):
      return "images \(first) to \(first + count - 1) were asked for, the set has \(available)"
    case .emptyRegion(let name): return "region '\(name)' holds no pixel"
    case .interrupted(let what): return "\(what) was interrupted; nothing was written"
    }
  }
}
