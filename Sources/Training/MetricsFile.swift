import Foundation

/// `metrics.jsonl`: one JSON object a line, appended as the run goes. Lines of an earlier attempt at the same steps stay;
/// the last line of a step is the valid one.
package final class MetricsFile {
  private let handle: FileHandle
  private let path: String
  private let encoder: JSONEncoder

  /// Opens the file for appending, made if absent. A line that a killed process left half-written is ended first.
  ///
  /// - Throws: when it cannot be opened.
  package init(path: String) throws {
    self.path = path
    let descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else {
      throw RunFolderError.notWritten(path: path, reason: String(cString: strerror(errno)))
    }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let end = try handle.seekToEnd()
    if end > 0 {
      try handle.seek(toOffset: end - 1)
      if try handle.read(upToCount: 1) != Data([0x0A]) { try handle.write(contentsOf: Data([0x0A])) }
    }
  }

  /// Appends one line.
  ///
  /// - Throws: when it cannot be written.
  package func append(_ record: some Encodable) throws {
    do {
      var line = try encoder.encode(record)
      line.append(0x0A)
      try handle.write(contentsOf: line)
    } catch { throw RunFolderError.notWritten(path: path, reason: error.systemReason) }
    // Writing to a file whose folder was removed succeeds, and is lost.
    var status = stat()
    guard fstat(handle.fileDescriptor, &status) == 0 && status.st_nlink > 0 else {
      throw RunFolderError.notWritten(path: path, reason: "it was removed while the run goes on")
    }
  }
}

/// What is recorded of a training step.
public struct StepRecord: Codable, Sendable {
  /// Optimizer updates done.
  public let step: Int
  /// The epoch the step's images belong to.
  public let epoch: Int
  /// Mean negative log likelihood of the step's images, over all ranks, in nats.
  public let nats: Double
  /// The same in bits per dimension.
  public let bitsPerDimension: Double
  /// The optimizer's, as the schedule has it.
  public let learningRate: Double
  /// Norm of the gradient before clipping.
  public let gradientNorm: Double
  /// Over all ranks, lately.
  public let imagesPerSecond: Double
  /// Training time over all resumptions.
  public let elapsedSeconds: Double
  /// Ranks that took the step.
  public let ranks: Int
  /// Steps of the run so far that were not fit for an update and were passed over.
  public let skippedSteps: Int
  /// The losses by size, where images are scaled.
  public let sizes: [SizeLoss]?

  /// All of it but the step, by the names in `metrics.jsonl`.
  var scalars: [(name: String, value: Double)] {
    let numbers: [(CodingKeys, Double)] = [
      (.epoch, Double(epoch)), (.nats, nats), (.bitsPerDimension, bitsPerDimension), (.learningRate, learningRate),
      (.gradientNorm, gradientNorm), (.imagesPerSecond, imagesPerSecond), (.elapsedSeconds, elapsedSeconds),
      (.ranks, Double(ranks)), (.skippedSteps, Double(skippedSteps)),
    ]
    let bySize = (sizes ?? []).map { ("\(CodingKeys.bitsPerDimension.rawValue)/\($0.size)", $0.bitsPerDimension) }
    return numbers.map { ($0.rawValue, $1) } + bySize
  }

  enum CodingKeys: String, CodingKey {
    case step, epoch, nats, ranks, sizes
    case skippedSteps = "skipped_steps"
    case bitsPerDimension = "bits_per_dimension"
    case learningRate = "learning_rate"
    case gradientNorm = "gradient_norm"
    case imagesPerSecond = "images_per_second"
    case elapsedSeconds = "elapsed_seconds"
  }
}

/// What is recorded of an evaluation.
public struct EvaluationRecord: Codable, Sendable {
  /// Optimizer updates done.
  public let step: Int
  /// What came out.
  public let evaluation: LikelihoodSummary

  /// Means and standard errors of the ensemble, of the orders' mean and of each order, such as
  /// `bits_per_dimension/s_curve/3`.
  var scalars: [(name: String, value: Double)] {
    let named =
      [("ensemble", evaluation.ensemble), ("mean_of_orders", evaluation.meanOfOrders)]
      + evaluation.orders.map { ($0.order, $0) }
    return named.flatMap { name, entry in
      entry.numbers.map { ("\($0.name)/\(name)", $0.value) }
    }
  }
}

/// What is recorded when a run starts or goes on.
public struct ResumeRecord: Codable, Sendable {
  /// `start` or `resume`.
  public let event: String
  /// Steps done before.
  public let step: Int
  /// When, in ISO 8601; earlier versions did not record it.
  public let time: String?
  /// Ranks of the job.
  public let ranks: Int
  /// Threads of each.
  public let threads: Int
}
