import Foundation

/// What `metrics.jsonl` tells of a run: of each step the valid record, which is the last, without those of steps that a
/// later attempt went back before.
public struct MetricsHistory: Sendable {
  /// A line that cannot be read.
  public struct Damage: Sendable, Equatable {
    /// Its number, from 1.
    public let line: Int
    /// What is wrong with it.
    public let reason: String

    package init(line: Int, reason: String) {
      self.line = line
      self.reason = reason
    }
  }

  /// Recorded steps, ascending.
  public private(set) var steps: [StepRecord] = []
  /// Evaluations, ascending by step.
  public private(set) var evaluations: [EvaluationRecord] = []
  /// Every start of the run, in the order of time.
  public private(set) var starts: [ResumeRecord] = []
  /// Every step that was not fit for an update, in the order of time, also those that were repeated.
  public private(set) var faults: [RecordedFault] = []
  /// Lines that are left out.
  public private(set) var damage: [Damage] = []

  /// The newest step known of.
  public var lastStep: Int {
    max(steps.last?.step ?? 0, evaluations.last?.step ?? 0, starts.last?.step ?? 0)
  }

  /// Reads the metrics at `path`.
  ///
  /// - Throws: when the file cannot be read. A line that is damaged is named in `damage`.
  public init(contentsOf path: String) throws(RunFolderError) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .notRead(path: path, reason: error.systemReason)
    }
    self.init(data)
  }

  package init(_ data: Data) {
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    for (index, line) in data.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated()
    where !line.isEmpty {
      do { add(try decoder.decode(Line.self, from: line)) } catch {
        damage.append(Damage(line: index + 1, reason: Self.reason(error)))
      }
    }
  }

  private enum Line: Decodable {
    case step(StepRecord)
    case evaluation(EvaluationRecord)
    case start(ResumeRecord)
    case fault(RecordedFault)

    private enum Kind: String, CodingKey {
      case event, evaluation, fault
    }

    init(from decoder: any Decoder) throws {
      let kind = try decoder.container(keyedBy: Kind.self)
      if kind.contains(.event) {
        self = .start(try ResumeRecord(from: decoder))
      } else if kind.contains(.evaluation) {
        self = .evaluation(try EvaluationRecord(from: decoder))
      } else if kind.contains(.fault) {
        self = .fault(try RecordedFault(from: decoder))
      } else {
        self = .step(try StepRecord(from: decoder))
      }
    }
  }

  private mutating func add(_ line: Line) {
    switch line {
    case .step(let record):
      forget(from: record.step)
      steps.append(record)
    case .evaluation(let record):
      // The record of its step is written before it.
      while let last = evaluations.last, last.step >= record.step { evaluations.removeLast() }
      evaluations.append(record)
    case .start(let record):
      forget(from: record.step + 1)
      starts.append(record)
    case .fault(let fault): faults.append(fault)
    }
  }

  /// Leaves out steps from `step` on: the run takes them once more.
  private mutating func forget(from step: Int) {
    while let last = steps.last, last.step >= step { steps.removeLast() }
    while let last = evaluations.last, last.step >= step { evaluations.removeLast() }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): return "'\(key.stringValue)' is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      let key = context.codingPath.map(\.stringValue).joined(separator: ".")
      return key.isEmpty ? "not a JSON object" : "'\(key)' is of the wrong type"
    default: return "not JSON, perhaps cut off by a full disk or a crash"
    }
  }
}

/// What the metrics tell of a step that was not fit for an update.
public struct RecordedFault: Decodable, Sendable {
  /// What was found.
  public struct Finding: Decodable, Sendable {
    /// What is wrong.
    public let reason: String
  }

  /// The step's number.
  public let step: Int
  /// What was found.
  public let fault: Finding
  /// What was done: `stop`, `skip` or `rollback`.
  public let response: String
}
