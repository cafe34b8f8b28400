/// What one thread did when: spans of time, each of a phase and possibly a label (a layer), properly nested.
///
/// Recording allocates nothing. When its memory is full a trace forgets its oldest spans; sums are of all. It belongs to the
/// thread that computes. Code that can be traced takes a `Trace?`; without one, `measure` is a test for nil.
public final class Trace {
  /// A span of time.
  public struct Event: Equatable, Sendable {
    /// Nanoseconds from the trace's beginning.
    public let start: Int64
    /// Nanoseconds.
    public let duration: Int64
    /// What was done.
    public let phase: Phase
    /// Index of the label, or -1 without one.
    public let label: Int32

    /// Nanoseconds from the trace's beginning.
    public var end: Int64 { start + duration }
  }

  /// Names that spans may be labelled with.
  public let labels: [String]
  private let origin = ContinuousClock.now
  private var storage: [Event]
  private var recorded = 0
  private var sums: [Int64]

  /// An empty trace that remembers the last `capacity` spans and begins now.
  public init(capacity: Int, labels: [String] = []) {
    precondition(capacity > 0, "Trace: a capacity of \(capacity)")
    self.labels = labels
    storage = Array(repeating: Event(start: 0, duration: 0, phase: .step, label: -1), count: capacity)
    sums = Array(repeating: 0, count: Phase.allCases.count * (labels.count + 1))
  }

  /// The spans it remembers, in the order in which they ended.
  public var events: [Event] {
    guard recorded > storage.count else { return Array(storage[..<recorded]) }
    let oldest = recorded % storage.count
    return Array(storage[oldest...] + storage[..<oldest])
  }

  /// Seconds in all spans of `phase` with `label` (-1: without one) since the beginning or the last `reset`.
  public func seconds(_ phase: Phase, label: Int = -1) -> Double { Double(sums[sumIndex(phase, label)]) * 1e-9 }

  /// Seconds in all spans of `phase`, whatever their label.
  public func allSeconds(_ phase: Phase) -> Double {
    (-1..<labels.count).reduce(0) { $0 + seconds(phase, label: $1) }
  }

  /// Forgets all spans and sums.
  public func reset() {
    recorded = 0
    for index in sums.indices { sums[index] = 0 }
  }

  /// Nanoseconds from the trace's beginning to now.
  @usableFromInline var now: Int64 {
    let (seconds, attoseconds) = origin.duration(to: .now).components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }

  @usableFromInline func record(_ phase: Phase, _ label: Int, since start: Int64) {
    let event = Event(start: start, duration: now - start, phase: phase, label: Int32(label))
    storage[recorded % storage.count] = event
    recorded += 1
    sums[sumIndex(phase, label)] += event.duration
  }

  private func sumIndex(_ phase: Phase, _ label: Int) -> Int {
    precondition(label >= -1 && label < labels.count, "Trace: label \(label) of \(labels.count)")
    return Int(phase.rawValue) * (labels.count + 1) + label + 1
  }
}

extension Optional<Trace> {
  /// Does `body` as a span of `phase`; one that throws is not recorded.
  @inlinable
  public func measure<Result, Failure: Error>(
    _ phase: Phase, label: Int = -1, _ body: () throws(Failure) -> Result
  ) throws(Failure) -> Result {
    guard let trace = self else { return try body() }
    let start = trace.now
    let result = try body()
    trace.record(phase, label, since: start)
    return result
  }
}
