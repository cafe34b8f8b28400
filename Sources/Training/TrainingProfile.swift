import Collectives
import Foundation
import Kernels
import Model
import Tracing

/// What `train --profile` keeps: when each rank did what, and at the end a file of it and a summary.
final class TrainingProfile {
  let trace: Trace
  private let path: String
  // Rank 0 only.
  private let file: TraceFile?
  private let communicator: any Communicator

  /// Begins the profile on all ranks together, so that their times have one origin, and makes the file on rank 0.
  ///
  /// - Throws: when the file cannot be written, or a rank is silent.
  init(path: String, network: AutoregressiveNetwork, communicator: any Communicator) throws {
    self.path = path
    self.communicator = communicator
    file = communicator.rank == 0 ? try TraceFile(path: path) : nil
    // Each rank receives all traces at the end, together below 1 GiB.
    let capacity = min(1 << 17, (1 << 30) / (RankTrace.eventBytes * communicator.size))
    try communicator.barrier()
    trace = Trace(capacity: capacity, labels: network.traceLabels)
  }

  /// Writes the file on rank 0 after `steps` steps, and measures what the summary compares the speed with.
  ///
  /// `operationsPerImage` are useful floating point operations.
  ///
  /// - Throws: when the file cannot be written, or a rank is silent.
  func finish(steps: Int, imagesPerStep: Int, operationsPerImage: Int, pool: ThreadPool) throws -> ProfileSummary {
    let ranks = try communicator.allGather(RankTrace(trace).bytes).map { bytes in try RankTrace(bytes: bytes) }
    try file?.write(ranks, hosts: communicator.hosts, labels: trace.labels)
    // All ranks at once, as in training.
    try communicator.barrier()
    var peaks = [Double](repeating: GEMMPeak.measure(pool: pool), count: communicator.size)
    try communicator.allGather(&peaks, counts: peaks.map { _ in 1 })
    let stepSeconds = trace.seconds(.step)
    let shares = ProfileSummary.phases.map { ($0.name, stepSeconds > 0 ? trace.seconds($0) / stepSeconds : 0) }
    let imagesPerSecond = stepSeconds > 0 ? Double(steps * imagesPerStep) / stepSeconds : 0
    return ProfileSummary(
      path: path, steps: steps, imagesPerSecond: imagesPerSecond,
      gigaflops: imagesPerSecond * Double(operationsPerImage) * 1e-9, peakGigaflops: peaks.reduce(0, +), shares: shares)
  }
}

/// How fast a profiled run was.
struct ProfileSummary: CustomStringConvertible {
  /// The phases of a step.
  static let phases: [Phase] = [.data, .prepare, .forward, .loss, .backward, .reduce, .update, .gather]

  /// The trace.
  let path: String
  let steps: Int
  /// Over all ranks, in the time of the steps alone.
  let imagesPerSecond: Double
  /// Useful floating point operations a second of forward and backward, in billions, over all ranks.
  let gigaflops: Double
  /// What `cblas_sgemm` reaches on all threads of all ranks together, in GFLOP/s.
  let peakGigaflops: Double
  /// Shares of rank 0's steps by phase.
  let shares: [(phase: String, share: Double)]

  var description: String {
    let parts = shares.map { "\($0.phase) \(Self.number(100 * $0.share)) %" }.joined(separator: ", ")
    return """
      profile of \(steps) steps: \(Self.number(imagesPerSecond)) images/s, \(Self.number(gigaflops)) useful GFLOP/s, \
      MFU \(Self.number(100 * gigaflops / peakGigaflops)) % of sgemm's \(Self.number(peakGigaflops)) GFLOP/s; \
      \(parts) of a step; \(path) is the trace, for https://ui.perfetto.dev
      """
  }

  private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
