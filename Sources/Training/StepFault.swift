/// A step that was not fit for an update, and what was found when it was looked into.
public struct StepFault: Encodable, Sendable {
  /// The step's number, as in `metrics.jsonl`: the first is 1.
  public let step: Int
  /// What is wrong.
  public let reason: String
  /// Norm of the step's gradient.
  public let gradientNorm: Double
  /// The microbatches that are to blame.
  public let microbatches: [MicrobatchReport]
  /// Ranks whose parameters are not those of the others; none if all agree.
  public let disagreement: ParameterDisagreement?
  /// Steps passed over just before.
  public let skippedInARow: Int

  enum CodingKeys: String, CodingKey {
    case step, reason, microbatches, disagreement
    case gradientNorm = "gradient_norm"
    case skippedInARow = "skipped_in_a_row"
  }

  package init(
    step: Int, reason: StepGuard.Reason, gradientNorm: Double, microbatches: [MicrobatchReport],
    disagreement: ParameterDisagreement?, skippedInARow: Int
  ) {
    self.step = step
    self.reason = "\(reason)"
    self.gradientNorm = gradientNorm
    self.microbatches = microbatches
    self.disagreement = disagreement
    self.skippedInARow = skippedInARow
  }

  /// What happened, with a line for each of the worst microbatches.
  package var described: String {
    // Where all are finite the largest gradients come first, as does what is not finite.
    func weight(_ report: MicrobatchReport) -> Double {
      report.firstNotFinite == nil && report.gradientNorm.isFinite ? report.gradientNorm : .infinity
    }
    let worst = microbatches.sorted { (weight($1), $0.slot) < (weight($0), $1.slot) }
    var lines = ["step \(step): \(reason); the parameters were not updated"]
    lines += worst.prefix(4).map { "  \($0.described)" }
    if worst.count > 4 { lines.append("  and \(worst.count - 4) more microbatches") }
    if let disagreement { lines.append("  \(disagreement)") }
    return lines.joined(separator: "\n")
  }
}

/// What is recorded of a step that was not fit.
struct FaultRecord: Encodable {
  let step: Int
  let fault: StepFault
  let response: StepGuard.Response
  /// Steps passed over in the whole run, with this one.
  let skippedSteps: Int

  enum CodingKeys: String, CodingKey {
    case step, fault, response
    case skippedSteps = "skipped_steps"
  }
}
