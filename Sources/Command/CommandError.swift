import Configuration

/// What stops a subcommand, apart from the errors of the modules it drives.
enum CommandError: Error, CustomStringConvertible {
  case fileNotWritten(path: String, reason: String)
  case noConfiguration(path: String)
  case noAverage(path: String)
  case imagesOutside(first: Int, count: Int, available: Int)
  case noModel(path: String)
  case noData(path: String)
  case missingFiles(model: String, faults: [ConfigurationFault])
  case unknownMeasurement(String)
  case replayOnSeveralRanks(Int)
  case servesOnSeveralRanks(Int)
  case notAPlan(path: String, reason: String)

  var description: String {
    switch self {
    case .fileNotWritten(let path, let reason): return "\(path) cannot be written: \(reason)"
    case .noConfiguration(let path):
      return "\(path) does not say which network its parameters are of; pass --config FILE"
    case .noAverage(let path): return "\(path) has no moving average of the parameters; pass --weights raw"
    case .imagesOutside(let first, let count, let available):
      let asked = count == 1 ? "image \(first) was" : "\(count) images from \(first) on were"
      return "\(asked) asked for, the set has \(available): 0 to \(available - 1)"
    case .noModel(let path):
      return "\(path): no such file or folder; name a run's folder, a checkpoint's folder or a model.safetensors file"
    case .noData(let path):
      return "\(path): no such file or folder; name a configuration, a run's folder, or a folder or array of pictures"
    case .missingFiles(let model, let faults):
      return "\(model) needs files that are not here:" + faults.map { "\n  \($0.problem)" }.joined()
        + "\nrelative paths begin at the working folder; go to where it was trained, or pass --set KEY=PATH"
    case .notAPlan(let path, let reason):
      return "\(path) is not what benchmark --plan --json prints: \(reason)"
    case .replayOnSeveralRanks(let ranks):
      return "--replay works on one process, this job has \(ranks); start without mpirun: the step has the same bits"
    case .servesOnSeveralRanks(let ranks):
      return "the server is one process, this job has \(ranks); start without mpirun, with --threads for more threads"
    case .unknownMeasurement(let command):
      return "'\(command)' is nothing to measure; say train ORDER, forward ORDER, compute ORDER, exchange, predict "
        + "ORDER GIGABITS MICROSECONDS, gemm or quit"
    }
  }
}
