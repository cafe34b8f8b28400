/// One thing that was checked.
struct Finding: Codable, Equatable {
  /// What came of it.
  enum Verdict: String, Codable {
    /// As it should be.
    case ok
    /// It works, but not as well as it could.
    case warning
    /// It stops the program.
    case failure
  }

  let subject: String
  let verdict: Verdict
  /// What was found and, where it is not as it should be, what to do.
  let message: String
}

/// What a series of checks found.
struct Findings {
  private(set) var all: [Finding] = []

  var hasFailure: Bool { all.contains { $0.verdict == .failure } }

  mutating func ok(_ subject: String, _ message: String) { add(subject, .ok, message) }
  mutating func warning(_ subject: String, _ message: String) { add(subject, .warning, message) }
  mutating func failure(_ subject: String, _ message: String) { add(subject, .failure, message) }
  mutating func append(_ finding: Finding) { all.append(finding) }

  /// A line for each, in columns.
  var text: String {
    TextTable.text(all.map { [$0.subject, $0.verdict.rawValue, $0.message] })
  }

  private mutating func add(_ subject: String, _ verdict: Finding.Verdict, _ message: String) {
    all.append(Finding(subject: subject, verdict: verdict, message: message))
  }
}
