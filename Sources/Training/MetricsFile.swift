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
struct StepRecord: Encodable {
  /// Optimizer updates done.
  let step: Int
  /// The epoch the step's images belong to.
  let epoch: Int
  /// Mean negative log likelihood of the step's images, over all ranks, in nats.
  let nats: Double
  /// The same in bits per dimension.
  let bitsPerDimension: Double
  let learningRate: Double
  /// Norm of the gradient before clipping.
  let gradientNorm: Double
  let imagesPerSecond: Double
  /// Training time over all resumptions.
  let elapsedSeconds: Double
  let ranks: Int
  /// Steps of the run so far that were not fit for an update and were passed over.
  let skippedSteps: Int

  enum CodingKeys: String, CodingKey {
    case step, epoch, nats, ranks
    case skippedSteps = "skipped_steps"
    case bitsPerDimension = "bits_per_dimension"
    case learningRate = "learning_rate"
    case gradientNorm = "gradient_norm"
    case imagesPerSecond = "images_per_second"
    case elapsedSeconds = "elapsed_seconds"
  }
}

/// What is recorded of an evaluation.
struct EvaluationRecord: Encodable {
  let step: Int
  let evaluation: LikelihoodSummary
}

/// What is recorded when a run starts or goes on.
struct ResumeRecord: Encodable {
  let event: String
  let step: Int
  let ranks: Int
  let threads: Int
}
