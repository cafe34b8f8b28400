import Foundation
import TestSupport
import Testing

/// A run of four ranks that a fault hits every minute, for `LMCONV_SOAK_MINUTES`, as `./launch.sh test --soak` sets it;
/// then the same run undisturbed. All checkpoints that both kept and all losses must be equal bit for bit, and memory flat.
@Suite(.enabled(if: SoakSettings.minutes > 0)) struct SoakTests {
  private static let minutes = SoakSettings.minutes

  private enum Fault: CaseIterable {
    case kill, stopRequest, silence

    var signal: Int32 {
      switch self {
      case .kill: return SIGKILL
      case .stopRequest: return SIGTERM
      case .silence: return SIGSTOP
      }
    }

    /// How the job may end; mpirun may notice a killed rank before or after the others.
    var endings: [Ending] {
      switch self {
      case .kill: return [.exited(137), .exited(76)]
      case .stopRequest: return [.exited(75)]
      case .silence: return [.exited(76)]
      }
    }
  }

  /// Steps whose checkpoints are kept for the comparison.
  private static let kept = 500
  // More steps than it can take, so that the time alone ends it.
  private static let trial = Trial.binary(
    steps: 10_000_000,
    [
      "checkpoint.every_steps=50", "checkpoint.keep_every=\(kept)", "run.timeout_seconds=10",
      "training.schedule=constant",
    ])

  @Test func aFaultAMinuteLosesNoBit() throws {
    let workplace = try Self.trial.workplace()
    let run = RunFiles(path: workplace.path + "/run")
    var residents: [Int] = []
    var reached = 0
    for minute in 0..<Self.minutes {
      let fault = Fault.allCases[minute % Fault.allCases.count]
      let job = try workplace.start(ranks: 4, Self.trial.arguments())
      try job.wait(for: "a minute", within: 120) { job.seconds >= 60 }
      let ranks = job.session.ranks
      #expect(ranks.count == 4)
      residents.append(ranks.values.compactMap { Session.residentKilobytes(of: $0) }.max() ?? 0)
      let victim = try #require(ranks[minute % 4])
      kill(victim, fault.signal)
      let sent = job.seconds
      let ending = try job.waitForEnd(within: 240)
      let noticed = job.seconds - sent
      #expect(fault.endings.contains(ending), "minute \(minute), \(fault): \(ending)\n\(job.errors)")
      #expect(noticed < 25, "minute \(minute), \(fault)")
      #expect(job.session.members(leftAfter: 5).isEmpty)
      let before = reached
      reached = try run.checkpoints().last ?? 0
      #expect(reached > before, "minute \(minute): nothing was done")
      FaultReport(
        fault:
          "minute \(minute + 1) of \(Self.minutes): \(fault) of rank \(minute % 4) of 4, \(residents.last ?? 0) kB",
        noticedSeconds: noticed, said: "\(ending), checkpoint of step \(reached)"
      ).show()
    }
    try compare(with: run, residents: residents)
  }

  private func compare(with run: RunFiles, residents: [Int]) throws {
    let steps = try run.checkpoints().filter { $0 % Self.kept == 0 }
    let last = try #require(steps.last)
    let workplace = try Self.trial.workplace()
    let undisturbed = RunFiles(path: workplace.path + "/run")
    let job = try workplace.start(ranks: nil, Self.trial.arguments())
    let limit = Double(Self.minutes) * 120
    try job.wait(for: "step \(Self.kept)", within: limit) { try undisturbed.checkpoints().contains(Self.kept) }
    let early = Session.residentKilobytes(of: job.session.id) ?? 0
    try job.wait(for: "step \(last)", within: limit) { try undisturbed.checkpoints().contains(last) }
    let late = Session.residentKilobytes(of: job.session.id) ?? 0
    job.end()

    var differing: [Int] = []
    for step in steps where try run.weights(step: step) != undisturbed.weights(step: step) { differing.append(step) }
    let results = try run.results().filter { $0.key <= last }
    let lossesAreEqual = try results == undisturbed.results().filter { $0.key <= last }
    FaultReport(
      fault: """
        \(Self.minutes) faults in \(Self.minutes) minutes, \(last) steps, \(steps.count) checkpoints compared, losses \
        \(lossesAreEqual ? "equal" : "different"), memory of a rank \(residents.min() ?? 0) to \(residents.max() ?? 0) kB, \
        undisturbed \(early) kB at step \(Self.kept) and \(late) kB at the end
        """, weightsAreEqual: differing.isEmpty
    ).show()
    #expect(differing.isEmpty && lossesAreEqual)
    #expect(results.count == last)
    // Pages that the allocator keeps come and go; what leaks at each step or restart adds up to more.
    let slack = 8192
    #expect(late <= early + slack)
    let half = residents.count / 2
    let (first, second) = (residents[..<half].max() ?? 0, residents[half...].max() ?? 0)
    #expect(half == 0 || second <= first + slack)
  }
}

/// What the environment says about the soak.
enum SoakSettings {
  /// How long; 0 is not at all.
  static let minutes = ProcessInfo.processInfo.environment["LMCONV_SOAK_MINUTES"].flatMap { Int($0) } ?? 0
}
