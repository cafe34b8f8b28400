import Foundation

/// One line of a run's `metrics.jsonl`.
package struct MetricsLine: Decodable, Sendable {
  package struct Evaluation: Decodable, Equatable, Sendable {
    package struct Entry: Decodable, Equatable, Sendable {
      package let order: String
      package let nats: Double
    }
    package let images: Int
    package let orders: [Entry]
    package let ensemble: Entry
  }

  package let step: Int
  package let ranks: Int?
  package let event: String?
  package let nats: Double?
  package let gradientNorm: Double?
  package let learningRate: Double?
  package let epoch: Int?
  package let imagesPerSecond: Double?
  package let evaluation: Evaluation?
  /// What became of a step that was not fit: stop, skip or rollback.
  package let response: String?
  package let skippedSteps: Int?
}

/// What is computed in a step, and must not depend on who computes it.
package struct StepResult: Equatable, Sendable {
  package let epoch: Int?
  package let nats: Double
  package let gradientNorm: Double?
  package let learningRate: Double?
}

/// The tensor files of a checkpoint.
package struct Weights: Equatable, Sendable {
  /// Bytes by file name.
  package let files: [String: Data]

  /// The tensors alone: the headers also hold the configuration, which says how many threads were asked for.
  package var tensors: [String: Data] {
    files.mapValues { file in
      let length = file.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
      return Data(file.dropFirst(8 + length))
    }
  }
}

/// The folder of a run, read from outside.
package struct RunFiles: Sendable {
  /// The run's folder.
  package let path: String

  /// The run in the folder `path`.
  package init(path: String) { self.path = path }

  /// All complete lines of the metrics; none before the run has begun.
  package func metrics() throws -> [MetricsLine] { try lines().map(Self.decoded) }

  /// The newest step recorded since the run was last started; 0 before.
  package func lastStep() throws -> Int {
    guard let line = try lines().last.map(Self.decoded), line.event == nil else { return 0 }
    return line.step
  }

  private func lines() -> [Data] {
    guard let data = FileManager.default.contents(atPath: path + "/metrics.jsonl"),
      let end = data.lastIndex(of: 0x0A)
    else { return [] }
    return data[..<end].split(separator: 0x0A)
  }

  private static func decoded(_ line: Data) throws -> MetricsLine {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .convertFromSnakeCase
    // A step that is passed over because it is not fit may have any numbers.
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try decoder.decode(MetricsLine.self, from: Data(line))
  }

  /// The steps from which the run was started and gone on with.
  package func starts() throws -> [Int] { try metrics().filter { $0.event != nil }.map(\.step) }

  /// The valid record of each step: the last.
  package func results() throws -> [Int: StepResult] {
    var results: [Int: StepResult] = [:]
    for line in try metrics() {
      guard let nats = line.nats else { continue }
      results[line.step] = StepResult(
        epoch: line.epoch, nats: nats, gradientNorm: line.gradientNorm, learningRate: line.learningRate)
    }
    return results
  }

  /// The evaluation of each step that was evaluated; the last is valid.
  package func evaluations() throws -> [Int: MetricsLine.Evaluation] {
    var evaluations: [Int: MetricsLine.Evaluation] = [:]
    for line in try metrics() { if let evaluation = line.evaluation { evaluations[line.step] = evaluation } }
    return evaluations
  }

  /// Steps that have a checkpoint, ascending; none before the run has begun.
  package func checkpoints() throws -> [Int] {
    guard FileManager.default.fileExists(atPath: path + "/checkpoints") else { return [] }
    return try FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints")
      .filter { $0.hasPrefix("step-") }.compactMap { Int($0.dropFirst(5)) }.sorted()
  }

  /// Whether a checkpoint is being written, or was when its process ended.
  package func isWritingCheckpoint() throws -> Bool {
    guard FileManager.default.fileExists(atPath: path + "/checkpoints") else { return false }
    return try FileManager.default.contentsOfDirectory(atPath: path + "/checkpoints").contains {
      $0.hasPrefix(".tmp-step-")
    }
  }

  /// Model, moving average and optimizer after `step`.
  package func weights(step: Int) throws -> Weights {
    let digits = String(step)
    let folder = path + "/checkpoints/step-" + String(repeating: "0", count: max(0, 8 - digits.count)) + digits
    var files: [String: Data] = [:]
    for name in ["model.safetensors", "ema.safetensors", "optimizer.safetensors"] {
      files[name] = try Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)"))
    }
    return Weights(files: files)
  }
}
