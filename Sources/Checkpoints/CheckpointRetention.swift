/// Which checkpoints of a run are kept when a new one has been written.
public struct CheckpointRetention: Sendable, Equatable {
  /// The newest that are kept, at least 1.
  public let keepLast: Int
  /// Checkpoints whose step is a multiple of this are kept; 0 for none.
  public let keepEvery: Int

  /// Keeps the `keepLast` newest, every `keepEvery` steps one, and always the best.
  public init(keepLast: Int, keepEvery: Int = 0) {
    precondition(keepLast >= 1 && keepEvery >= 0, "CheckpointRetention: keepLast \(keepLast), keepEvery \(keepEvery)")
    self.keepLast = keepLast
    self.keepEvery = keepEvery
  }

  /// The steps to remove of those in `metrics` (metric by step, lower is better), ascending.
  ///
  /// The one just `written` stays whatever the rules say: it is the only one known to be valid.
  package func removable(metrics: [Int: Double?], written: Int) -> [Int] {
    let steps = metrics.keys.sorted()
    var kept = Set(steps.suffix(keepLast))
    kept.insert(written)
    if keepEvery > 0 { kept.formUnion(steps.filter { $0 % keepEvery == 0 }) }
    let evaluated = steps.compactMap { step in (metrics[step] ?? nil).map { (metric: $0, step: step) } }
    if let best = evaluated.min(by: { ($0.metric, $0.step) < ($1.metric, $1.step) }) { kept.insert(best.step) }
    return steps.filter { !kept.contains($0) }
  }
}
