import Configuration

/// Decides whether a step's losses and gradient are fit for an update, and what happens if not. It looks only at numbers
/// that all ranks have, with the same bits on any number of them, so that all decide alike without asking each other.
package struct StepGuard {
  /// What is wrong with a step.
  package enum Reason: Equatable, CustomStringConvertible {
    /// The mean loss of a microbatch, in bits per dimension, is not finite or above the limit.
    case loss(slot: Int, Double, limit: Double)
    /// The norm of the gradient is not finite or above the limit.
    case gradient(norm: Double, limit: Double)

    package var description: String {
      switch self {
      case .loss(let slot, let value, let limit):
        return "the loss of microbatch \(slot) is \(value.isNaN ? "nan" : "\(value)") bits per dimension"
          + (value.isFinite ? ", guard.max_loss is \(limit)" : "")
      case .gradient(let norm, let limit):
        return "the norm of the gradient is \(norm.isNaN ? "nan" : "\(norm)")"
          + (norm.isFinite ? ", guard.max_gradient_norm is \(limit)" : "")
      }
    }
  }

  /// What happens with a step that is not fit.
  package enum Response: String, Codable {
    case stop, skip, rollback
  }

  private let options: RunConfiguration.GuardOptions
  /// Steps passed over in the whole run.
  package var skipped = 0
  /// Steps passed over since the last update.
  package var skippedInARow = 0
  /// Steps that the run already went back for.
  private var rolledBack: Set<Int> = []

  /// The guard of a run with `options`.
  package init(_ options: RunConfiguration.GuardOptions) { self.options = options }

  /// What is wrong with a step whose microbatches have the mean `losses` (by slot, in bits per dimension) and whose
  /// gradient has this `norm`; nil if nothing is.
  package func reason(losses: [Double], norm: Double) -> Reason? {
    let lossLimit = options.maxLoss > 0 ? options.maxLoss : .greatestFiniteMagnitude
    for (slot, loss) in losses.enumerated() {
      // A comparison with NaN is never true.
      if !(loss <= lossLimit) { return .loss(slot: slot, loss, limit: lossLimit) }
    }
    let normLimit = options.maxGradientNorm > 0 ? options.maxGradientNorm : .greatestFiniteMagnitude
    return norm <= normLimit ? nil : .gradient(norm: norm, limit: normLimit)
  }

  /// Slots of `losses` that are not fit by themselves; all slots if none is: then it is their sum.
  package func suspects(losses: [Double]) -> [Int] {
    let suspects = losses.indices.filter {
      var alone = [Double](repeating: 0, count: losses.count)
      alone[$0] = losses[$0]
      return reason(losses: alone, norm: 0) != nil
    }
    return suspects.isEmpty ? Array(losses.indices) : suspects
  }

  /// What to do with step `step`, which is not fit. A step is gone back for once, in case the fault was the machine's; if
  /// it is no better then, it is passed over. Too many in a row stop the run: it will not recover by itself.
  package mutating func respond(to step: Int) -> Response {
    switch options.policy {
    case .stop: return .stop
    case .rollback where rolledBack.insert(step).inserted: return .rollback
    case .skip, .rollback:
      guard skippedInARow < options.maxSkips else { return .stop }
      skipped += 1
      skippedInARow += 1
      return .skip
    }
  }

  /// An update was made.
  package mutating func didUpdate() { skippedInARow = 0 }

  /// Takes the counters that `counters` of a checkpoint hold.
  package mutating func restore(_ counters: [String: Int]) {
    skipped = counters["skipped_steps"] ?? 0
    skippedInARow = counters["skipped_in_a_row"] ?? 0
  }

  /// What a checkpoint holds; nothing as long as no step was passed over.
  package var counters: [String: Int] {
    skipped == 0 ? [:] : ["skipped_steps": skipped, "skipped_in_a_row": skippedInARow]
  }
}
