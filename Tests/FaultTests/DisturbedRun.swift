import Foundation
import TestSupport

/// A run of `trial` that a case disturbs, in a folder of its own, and what it has to end as.
struct DisturbedRun {
  let trial: Trial
  let expected: FinishedRun
  let workplace: Workplace
  let files: RunFiles

  /// Prepares the images; nothing runs yet.
  init(_ trial: Trial, expected: FinishedRun) throws {
    self.trial = trial
    self.expected = expected
    workplace = try trial.workplace()
    files = RunFiles(path: workplace.path + "/run")
  }

  /// Starts or goes on with the run, alone where `ranks` is nil.
  func start(ranks: Int?, _ settings: [String] = []) throws -> RunningJob {
    try workplace.start(ranks: ranks, trial.arguments(settings))
  }

  /// Goes on to the end.
  ///
  /// - Returns: whether weights, recorded losses and evaluations are those of the undisturbed run, bit for bit.
  /// - Throws: when the run does not end with success.
  func finish(ranks: Int?, _ settings: [String] = []) throws -> Bool {
    try workplace.run(ranks: ranks, trial.arguments(settings), within: 120)
    return try isAsExpected()
  }

  /// Whether weights, recorded losses and evaluations are those of the undisturbed run, bit for bit.
  func isAsExpected() throws -> Bool {
    let weights = try files.weights(step: trial.steps)
    return try weights == expected.weights && files.results() == expected.results
      && files.evaluations() == expected.evaluations
  }
}
