import Testing

import Collectives

struct PeerRecordsTests {
  private static let names = [
    RankName(rank: 0, host: "node1", process: 10), RankName(rank: 1, host: "node2", process: 11),
    RankName(rank: 2, host: "node3", process: 4711),
  ]
  private static let own = RankPosition(step: 812, phase: .reduction, operation: .receive(from: 2))
  private var records = PeerRecords(rank: 0, names: names, now: 100)

  private mutating func hear(
    _ peer: Int, at now: Double, _ position: RankPosition = RankPosition(step: 812, phase: .reduction),
    progress: UInt64 = 1, waits: Bool = true, processor: Double = 0, ending: Heartbeat.Ending = .none, missed: Int = -1
  ) {
    var heartbeat = Heartbeat(from: peer, to: 0, position: position)
    heartbeat.reachedAt = 0
    heartbeat.isWaiting = waits
    heartbeat.progress = progress
    heartbeat.processor = processor
    heartbeat.ending = ending
    heartbeat.missedRank = missed
    records.note(heartbeat, now: now)
  }

  private mutating func verdict(at now: Double, hasMoved: Bool = false) -> String? {
    records.verdict(own: Self.own, isWaiting: true, hasMoved: hasMoved, now: now, timeout: 60, deadline: 60)
      .map { "\($0)" }
  }

  @Test mutating func aSilentRankIsLostAfterTheTimeout() {
    hear(2, at: 101)
    hear(1, at: 161)
    #expect(verdict(at: 161) == nil)
    #expect(
      verdict(at: 161.6)
        == "waiting in step 812, reduction (receive from rank 2): rank 2 (node3, pid 4711) silent for 61 s, "
        + "last seen in step 812, reduction; dead, stopped or unreachable")
  }

  @Test mutating func aRankThatComputesIsWaitedFor() {
    for second in 101...5000 {
      hear(1, at: Double(second))
      hear(
        2, at: Double(second), RankPosition(step: 812, phase: .computation), waits: false, processor: Double(second))
      #expect(verdict(at: Double(second)) == nil)
    }
  }

  @Test mutating func aRankThatDoesNothingIsGivenUpMuchLater() {
    hear(1, at: 101)
    for second in 101...701 {
      hear(1, at: Double(second))
      hear(2, at: Double(second), RankPosition(step: 3, phase: .startUp), waits: false)
      #expect(verdict(at: Double(second)) == nil)
    }
    hear(2, at: 702, RankPosition(step: 3, phase: .startUp), waits: false)
    #expect(
      verdict(at: 702)?.contains(
        "rank 2 (node3, pid 4711) is heard but has done nothing for 601 s, in step 3, start-up; ") == true)
  }

  @Test mutating func nothingMovesWhileAllWait() {
    for second in 101...161 {
      hear(1, at: Double(second))
      hear(2, at: Double(second))
    }
    #expect(verdict(at: 161) == nil)
    #expect(
      verdict(at: 161.6)?.contains("all ranks are heard and wait, but nothing has moved for 61 s: ") == true)
    // One of them moved meanwhile.
    hear(2, at: 161.7, progress: 2)
    #expect(verdict(at: 162) == nil)
  }

  @Test mutating func whoIsMissedByAnotherEndsTheJobToo() {
    hear(2, at: 160)
    hear(1, at: 160, ending: .missesRank, missed: 2)
    #expect(
      verdict(at: 160)?.hasSuffix(
        ": rank 1 (node2, pid 11) ended the job because it does not hear rank 2 (node3, pid 4711)") == true)
  }

  @Test mutating func aRankThatFailedIsLeftToTheLauncherForAMoment() {
    hear(2, at: 160)
    hear(1, at: 160, ending: .failed)
    #expect(verdict(at: 162) == nil)
    #expect(
      verdict(at: 163.1)?.hasSuffix(": rank 1 (node2, pid 11) ended the job because of an error that it has reported")
        == true)
  }

  @Test mutating func theTimeInWhichThisProcessWasStoppedDoesNotCount() {
    hear(1, at: 101)
    hear(2, at: 101)
    records.discount(300)
    #expect(verdict(at: 405) == nil)
    #expect(verdict(at: 462) != nil)
  }

  @Test mutating func ranksAreReachedWhenBothHearEachOther() {
    #expect(records.unreached == [1, 2])
    hear(1, at: 101)
    #expect(records.unreached == [2])
    records.note(Heartbeat(from: 2, to: 0, position: Self.own), now: 101)
    #expect(records.unreached == [2])
    hear(2, at: 102)
    #expect(records.unreached == [])
  }
}
