import Configuration
import Foundation
import Imaging
import Training

/// All that a run's folder tells of the run. Only the metrics are needed; what else is missing or damaged is named among
/// the `problems`.
public struct ReportedRun: Sendable {
  /// A picture that the model made.
  struct Picture: Sendable {
    let step: Int
    /// The file's bytes.
    let png: [UInt8]
  }

  /// The folder's name, by which reports call the run.
  public let name: String
  /// The folder.
  public let path: String
  /// What was recorded.
  public let history: MetricsHistory
  /// The resolved configuration, where it can be read.
  public let configuration: RunConfiguration?
  /// Why the last attempt ended, if it failed.
  public let failure: FailureRecord?
  /// What of the folder cannot be read or is damaged.
  public let problems: [String]

  let configurationText: String?
  let orders: [UInt8]?
  let samples: [Picture]
  let completions: [Picture]
  /// What the log warns of: lines of `log.txt`, the last ones.
  let warnings: [String]

  /// Reads the run in folder `path`.
  ///
  /// - Throws: when there are no metrics to read.
  public init(_ path: String) throws {
    let folder = RunFolder(path)
    var problems: [String] = []
    self.path = path
    name = URL(fileURLWithPath: path).lastPathComponent
    history = try MetricsHistory(contentsOf: folder.metrics)
    problems += history.damage.map { "\(folder.metrics):\($0.line): \($0.reason); the line is left out" }

    func read(_ file: String) -> Data? {
      do { return try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
        problems.append("\(file) cannot be read: \(error.systemReason)")
        return nil
      }
    }
    let exists = FileManager.default.fileExists(atPath:)
    configurationText = read(folder.configuration).map { String(decoding: $0, as: UTF8.self) }
    do {
      configuration = try configurationText.map { try RunConfiguration(yaml: $0, path: folder.configuration) }
    } catch {
      configuration = nil
      problems.append("\(error)")
    }
    do {
      failure = try (exists(folder.failure) ? read(folder.failure) : nil)
        .map { try JSONDecoder().decode(FailureRecord.self, from: $0) }
    } catch {
      failure = nil
      problems.append("\(folder.failure) is no record of a failure")
    }
    let log = exists(folder.log) ? read(folder.log) : nil
    warnings = Self.warnings(String(decoding: log ?? Data(), as: UTF8.self))

    func picture(_ file: String) -> [UInt8]? {
      do {
        _ = try PNGImage(contentsOf: file)
        return read(file).map { Array($0) }
      } catch {
        problems.append("\(error)")
        return nil
      }
    }
    let names = exists(folder.pictures) ? Self.names(in: folder.pictures) : []
    func pictures(_ kind: String) -> [Picture] {
      let steps = names.compactMap { name -> Int? in
        guard name.hasPrefix("step-"), name.hasSuffix("-\(kind).png") else { return nil }
        return Int(name.dropFirst(5).prefix { $0 != "-" })
      }.sorted()
      return Self.spread(steps).compactMap { step in
        picture(folder.picture(kind, step: step)).map { Picture(step: step, png: $0) }
      }
    }
    orders = names.contains("orders.png") ? picture(folder.orderPicture) : nil
    samples = pictures("samples")
    completions = pictures("completions")
    self.problems = problems
  }

  /// The most pictures of a kind that a page shows.
  private static let mostPictures = 4
  /// The most lines of a log that a page shows.
  private static let mostWarnings = 50

  /// Up to `mostPictures` of `steps`, evenly spread, with the first and the last.
  private static func spread(_ steps: [Int]) -> [Int] {
    guard steps.count > mostPictures else { return steps }
    return (0..<mostPictures).map { steps[$0 * (steps.count - 1) / (mostPictures - 1)] }
  }

  private static func names(in folder: String) -> [String] {
    // An unreadable folder has no pictures to show.
    guard let entries = FileManager.default.enumerator(atPath: folder) else { return [] }
    return entries.compactMap { $0 as? String }
  }

  /// Messages of `log` that are warnings or worse, each with all its lines.
  private static func warnings(_ log: String) -> [String] {
    var found: [String] = []
    var isWarning = false
    for line in log.split(separator: "\n") {
      if let entry = line.prefixMatch(of: #/\d{4}-\d\d-\d\dT\S+ (?<level>[a-z]+) /#) {
        isWarning = ["warning", "error", "critical"].contains(entry.level)
        if isWarning { found.append(String(line)) }
      } else if isWarning, let last = found.popLast() {
        found.append(last + "\n" + line)
      }
    }
    return Array(found.suffix(mostWarnings))
  }

  // MARK: In words

  /// Steps of the whole run, where the configuration tells.
  var totalSteps: Int? {
    guard let steps = configuration?.training.steps, steps > 0 else { return nil }
    return steps
  }

  /// Whether it is complete, failed, or how far it is.
  public var state: String {
    let last = history.lastStep
    if let totalSteps, last >= totalSteps { return "complete" }
    if failure != nil { return "failed after step \(last)" }
    return "at step \(last)" + (totalSteps.map { " of \($0)" } ?? "")
  }

  /// The evaluation with the least ensemble likelihood.
  public var best: EvaluationRecord? {
    history.evaluations.min { $0.evaluation.ensemble.nats < $1.evaluation.ensemble.nats }
  }

  /// Median of the recorded images per second.
  public var imagesPerSecond: Double? {
    let rates = history.steps.map(\.imagesPerSecond).filter(\.isFinite).sorted()
    return rates.isEmpty ? nil : rates[rates.count / 2]
  }

  /// Mean bits per dimension of the last fiftieth of the training steps.
  public var trainingBits: Double? {
    let bits = history.steps.map(\.bitsPerDimension).filter(\.isFinite)
    let last = bits.suffix(max(1, bits.count / 50))
    return last.isEmpty ? nil : last.reduce(0, +) / Double(last.count)
  }
}
