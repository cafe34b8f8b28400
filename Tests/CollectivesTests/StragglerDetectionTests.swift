import Testing

import Collectives

struct StragglerDetectionTests {
  private static func names(hosts: [String]) -> [RankName] {
    hosts.enumerated().map { RankName(rank: $0, host: $1, process: Int32(100 + $0)) }
  }

  /// What is noticed in `seconds` seconds when rank r waits `waits[r]` of the time, longest for `peers[r]`.
  private static func notices(
    hosts: [String], waits: [Double], peers: [Int], seconds: Int = 100
  ) -> [String] {
    var detection = StragglerDetection(names: names(hosts: hosts), window: 10, now: 0)
    var notices: [String] = []
    for second in 1...seconds {
      let notice = detection.notice(now: Double(second)) { rank in
        var heartbeat = Heartbeat(
          from: rank, to: 0, position: RankPosition(step: second, phase: .computation))
        heartbeat.waited = waits[rank] * Double(second)
        heartbeat.longestWaitPeer = peers[rank]
        heartbeat.longestWait = waits[rank] * 10
        return heartbeat
      }
      if let notice { notices.append(notice) }
    }
    return notices
  }

  @Test func aRankThatComputesSlowlyIsNamedLessAndLessOften() {
    let notices = Self.notices(hosts: ["a", "a", "b", "b"], waits: [0.7, 0.75, 0.05, 0.8], peers: [2, 2, 3, 2])
    #expect(
      notices.first
        == "straggler: rank 2 (b, pid 102) is slow but alive, now in step 11, computation: in the last 10 s the others "
        + "waited 75 % of the time, it 5 %")
    // At 11, 31 and 71 seconds.
    #expect(notices.count == 3)
  }

  @Test func aRankWithASlowLinkIsNamed() {
    let notices = Self.notices(hosts: ["a", "b", "c"], waits: [0.9, 0.9, 0.9], peers: [2, 2, 0])
    #expect(
      notices.first
        == "straggler: rank 2 (c, pid 102) is alive but its link is slow: in the last 10 s ranks waited 90 % of the "
        + "time, 67 % of that for it")
  }

  @Test func aHostWithASlowLinkIsNamed() {
    let notices = Self.notices(
      hosts: ["a", "a", "b", "b", "c", "c"], waits: Array(repeating: 0.8, count: 6), peers: [4, 5, 4, 5, 0, 2])
    #expect(
      notices.first
        == "straggler: host c (ranks 4, 5) is alive but its link is slow: in the last 10 s ranks waited 80 % of the "
        + "time, 67 % of that for it")
  }

  @Test(arguments: [[0.1, 0.12, 0.08], [0.6, 0.6, 0.6]])
  func nobodyIsNamedWhenAllWaitAlike(waits: [Double]) {
    #expect(Self.notices(hosts: ["a", "b", "c"], waits: waits, peers: [1, 2, 0]) == [])
  }
}
