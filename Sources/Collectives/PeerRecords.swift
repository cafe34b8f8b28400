/// What a rank knows of the others by their heartbeats, and what follows from it. Times are seconds of one clock.
package struct PeerRecords: Sendable {
  private struct Record {
    var heard: Double
    var heartbeat: Heartbeat
    var isKnown = false
    /// When it last began or ended something, and its processor time then.
    var moved: Double
    var processor = 0.0
    /// When it said that it ends.
    var farewell: Double?
    /// Which of this rank's addresses it reaches, and at which of its own it is reached.
    var reaches = -1
    var isReachedAt = -1
  }

  /// A rank that is heard and uses less of a processor than this while it should compute does nothing.
  private static let idleProcessorShare = 0.05
  /// When one rank is lost, those who have been silent for this share of the timeout are named, too.
  private static let suspectShare = 0.8
  /// Nobody but the launcher should end the ranks that are left after an error; beyond this they do it themselves.
  private static let launcherPatience = 3.0

  package let rank: Int
  private let names: [RankName]
  private var records: [Record]
  /// When any rank of those that wait has moved, or one did not wait.
  private var lastMotion: Double

  /// Nobody has been heard at time `now`.
  package init(rank: Int, names: [RankName], now: Double) {
    self.rank = rank
    self.names = names
    lastMotion = now
    records = names.indices.map { peer in
      Record(
        heard: now, heartbeat: Heartbeat(from: peer, to: rank, position: RankPosition(step: nil, phase: .startUp)),
        moved: now)
    }
  }

  /// Takes in what was heard at time `now`.
  package mutating func note(_ heartbeat: Heartbeat, now: Double) {
    let peer = heartbeat.from
    guard heartbeat.to == rank, records.indices.contains(peer), peer != rank else { return }
    var record = records[peer]
    // Datagrams may overtake each other.
    if record.isKnown && heartbeat.progress < record.heartbeat.progress { return }
    let hasMoved = !record.isKnown || heartbeat.progress != record.heartbeat.progress
    // The watchdog itself takes a little.
    let idle = max(0.02, Self.idleProcessorShare * (now - record.moved))
    if hasMoved || !heartbeat.isWaiting && heartbeat.processor - record.processor > idle {
      record.moved = now
      record.processor = heartbeat.processor
    }
    if hasMoved || !heartbeat.isWaiting { lastMotion = now }
    record.heard = now
    record.isKnown = true
    record.heartbeat = heartbeat
    record.reaches = heartbeat.address
    if heartbeat.reachedAt >= 0 { record.isReachedAt = heartbeat.reachedAt }
    if heartbeat.ending != .none && record.farewell == nil { record.farewell = now }
    records[peer] = record
  }

  /// This process did not run for `seconds`: no one's silence.
  package mutating func discount(_ seconds: Double) {
    for peer in records.indices {
      records[peer].heard += seconds
      records[peer].moved += seconds
    }
    lastMotion += seconds
  }

  /// Which of this rank's addresses `peer` reaches; -1 before it was heard.
  func reaches(by peer: Int) -> Int { records[peer].reaches }

  /// At which of its addresses `peer` is reached; -1 while that is unknown, or not sure any more after `seconds` of silence.
  func address(of peer: Int, now: Double, within seconds: Double) -> Int {
    now - records[peer].heard > seconds ? -1 : records[peer].isReachedAt
  }

  /// Ranks that do not hear this one, or are not heard by it.
  package var unreached: [Int] {
    records.indices.filter { $0 != rank && !(records[$0].isKnown && records[$0].isReachedAt >= 0) }
  }

  /// Whether all ranks have been heard in the last `seconds`.
  func areAllHeard(now: Double, within seconds: Double) -> Bool {
    records.indices.allSatisfy { $0 == rank || now - records[$0].heard <= seconds }
  }

  package func lastHeartbeat(of peer: Int) -> Heartbeat { records[peer].heartbeat }

  /// Whether something must end this process; `own` is where it is, `timeout` the longest silence, `deadline` the longest
  /// time in which nothing may move while all wait.
  package mutating func verdict(
    own position: RankPosition, isWaiting: Bool, hasMoved: Bool, now: Double, timeout: Double, deadline: Double
  ) -> WatchdogVerdict? {
    if !isWaiting || hasMoved { lastMotion = now }
    for peer in records.indices where peer != rank {
      guard let farewell = records[peer].farewell else { continue }
      // Who another rank misses is likely missed here, too, in a moment.
      let lost = lostRanks(now: now, timeout: Self.suspectShare * timeout)
      if !lost.isEmpty { return .lost(at: position, lost) }
      let heartbeat = records[peer].heartbeat
      if heartbeat.ending == .missesRank, names.indices.contains(heartbeat.missedRank) {
        return .endedByPeer(at: position, names[peer], missed: names[heartbeat.missedRank])
      }
      if now - farewell > Self.launcherPatience { return .endedByPeer(at: position, names[peer], missed: nil) }
    }
    // Looked at several times a second: nothing is allocated while all are heard.
    if records.indices.contains(where: { isLost($0, now: now, timeout: timeout) }) {
      // A cut takes several ranks away, heard last at moments that differ a little.
      return .lost(at: position, lostRanks(now: now, timeout: Self.suspectShare * timeout))
    }
    if now - lastMotion > deadline {
      let waits = records.indices.map { peer in
        (name: names[peer], position: peer == rank ? position : records[peer].heartbeat.position)
      }
      return .stalled(at: position, seconds: now - lastMotion, waits: waits)
    }
    for (peer, record) in records.enumerated() where peer != rank && !record.heartbeat.isWaiting {
      guard now - record.moved > 10 * timeout else { continue }
      return .stuck(
        at: position, names[peer], seconds: now - record.moved, position: record.heartbeat.position)
    }
    return nil
  }

  private func lostRanks(now: Double, timeout: Double) -> [WatchdogVerdict.LostRank] {
    records.indices.filter { isLost($0, now: now, timeout: timeout) }.map { peer in
      .init(
        name: names[peer], seconds: now - records[peer].heard, lastSeen: records[peer].heartbeat.position)
    }
  }

  private func isLost(_ peer: Int, now: Double, timeout: Double) -> Bool {
    peer != rank && records[peer].farewell == nil && now - records[peer].heard > timeout
  }
}
