import Foundation
import TestSupport
import Testing

extension Faults {
  /// What happens between hosts: links that are cut or slow, a host without its ssh server.
  @Suite struct NetworkFaultTests {
    private static let timeout = 8.0
    private static let trial = Trial.binary(
      steps: 60, ["checkpoint.every_steps=5", "run.timeout_seconds=\(Int(timeout))"])
    private static let undisturbed = Result { try FinishedRun(trial) }

    /// Host 3, or the first, where mpirun and rank 0 are.
    @Test(arguments: [3, 1])
    func aCutLinkEndsBothSidesAndTwoHostsGoOn(host: Int) throws {
      let run = try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
      let hosts = try SimulatedHosts(3, rate: "10mbit", in: run.workplace, Self.trial.arguments())
      try hosts.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      try hosts.network("ip -netns {}-bridge link set port\(host) down")
      let cut = hosts.seconds
      let end = try hosts.waitForEnd(within: cut + Self.timeout + 15)
      let empty = try hosts.waitUntilEmpty(within: cut + Self.timeout + 15)
      let (sideOfCut, others) = host == 3 ? ([2], [0, 1]) : ([0], [1, 2])
      for rank in others {
        let lost = Set(Self.lostRanks(hosts.errors("\(rank)")))
        #expect(lost == Set(sideOfCut), "rank \(rank): \(hosts.allErrors)")
      }
      #expect(Set(Self.lostRanks(hosts.errors("\(sideOfCut[0])"))) == Set(others), "\(hosts.allErrors)")
      let said = FaultReport.lastLine(of: hosts.errors("\(others[0])"))
      #expect(said.contains(", reduction (") || said.contains(", gathering of parameters ("), "\(said)")
      try hosts.leave()
      #expect(end.code != 0)

      let rest = try SimulatedHosts(2, in: run.workplace, Self.trial.arguments())
      let last = try rest.waitForEnd(within: 60)
      #expect(last.code == 0, "\(rest.allErrors)")
      try rest.leave()
      let isEqual = try run.isAsExpected()
      FaultReport(
        fault:
          "link of host \(host) of 3 down, timeout \(Int(Self.timeout)) s; mpirun ended with code \(end.code), no process "
          + "of the job was left on any host after \(Self.text(empty - cut)) s; two hosts went on from step "
          + "\(try run.files.starts().last ?? 0)",
        noticedSeconds: end.seconds - cut, said: said, weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
    }

    @Test func aSlowLinkIsReportedAndTheRunGoesOn() throws {
      let run = try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
      let hosts = try SimulatedHosts(3, rate: "50mbit", in: run.workplace, Self.trial.arguments())
      try hosts.wait(for: "step 12") { try run.files.lastStep() >= 12 }
      try Self.limit(hosts, to: "500kbit")
      let limited = hosts.seconds
      let step = try run.files.lastStep()
      try hosts.wait(for: "a notice of the straggler", within: limited + 60) {
        hosts.errors("0").contains("straggler: rank 2 (host3, pid ")
      }
      let noticed = hosts.seconds - limited
      try hosts.wait(for: "three more steps", within: limited + 90) { try run.files.lastStep() >= step + 3 }
      try Self.limit(hosts, to: "50mbit")
      let end = try hosts.waitForEnd(within: limited + 150)
      #expect(end.code == 0, "\(hosts.allErrors)")
      let said = hosts.errors("0").split(separator: "\n").first { $0.contains("straggler: ") }.map(String.init) ?? ""
      try hosts.leave()
      let isEqual = try run.isAsExpected()
      FaultReport(
        fault: "link of host 3 of 3 from 50 Mbit/s to 1 % of that, timeout \(Int(Self.timeout)) s; the run went on",
        noticedSeconds: noticed, said: said, weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
    }

    @Test func aHostWithoutItsSSHServerEndsTheStart() throws {
      let run = try DisturbedRun(Self.trial, expected: try Self.undisturbed.get())
      let hosts = try SimulatedHosts(
        3, in: run.workplace, first: "kill $(ip netns pids $SIMULATION-3)", Self.trial.arguments())
      let started = hosts.seconds
      let end = try hosts.waitForEnd(within: started + 30)
      #expect(end.code != 0)
      #expect(try hosts.waitUntilEmpty(within: started + 30) < started + 30)
      let refusal = hosts.errors("mpirun").split(whereSeparator: \.isNewline).first {
        $0.contains("ssh: connect to host")
      }
      #expect(refusal != nil, "\(hosts.allErrors)")
      try hosts.leave()
      let rest = try SimulatedHosts(2, in: run.workplace, Self.trial.arguments())
      #expect(try rest.waitForEnd(within: 60).code == 0, "\(rest.allErrors)")
      try rest.leave()
      let isEqual = try run.isAsExpected()
      FaultReport(
        fault: "no ssh server on host 3 of 3 at the start; mpirun ended with code \(end.code); two hosts trained",
        noticedSeconds: end.seconds - started, said: refusal.map(String.init), weightsAreEqual: isEqual
      ).show()
      #expect(isEqual)
    }

    /// Ranks that `errors` calls silent.
    private static func lostRanks(_ errors: String) -> [Int] {
      errors.matches(of: #/rank (\d+) \(\S+, pid \d+\) silent for \d+ s, last seen in /#).compactMap {
        Int($0.output.1)
      }
    }

    private static func limit(_ hosts: SimulatedHosts, to rate: String) throws {
      for (place, device) in [("{}-3", "eth0"), ("{}-bridge", "port3")] {
        try hosts.network(
          "ip netns exec \(place) tc qdisc replace dev \(device) root tbf rate \(rate) burst 16kb latency 200ms")
      }
    }

    private static func text(_ seconds: Double) -> String { seconds.formatted(.number.precision(.fractionLength(1))) }
  }
}
