import Testing

import Collectives

struct HeartbeatTests {
  private static let operations: [CollectiveOperation?] = [
    nil, .connect, .barrier, .broadcast(root: 3), .allGather, .maximum, .send(to: 7), .receive(from: 1000), .finalize,
    .abort,
  ]

  @Test(arguments: operations) func itArrivesAsItWasSent(operation: CollectiveOperation?) {
    var heartbeat = Heartbeat(
      from: 700, to: 3, position: RankPosition(step: 1 << 40, phase: .checkpoint, operation: operation))
    heartbeat.address = 15
    heartbeat.reachedAt = -1
    heartbeat.ending = .missesRank
    heartbeat.missedRank = 12
    heartbeat.isWaiting = true
    heartbeat.progress = 1 << 60
    heartbeat.waited = 123.5
    heartbeat.processor = 7.25
    heartbeat.longestWaitPeer = 9
    heartbeat.longestWait = 0.125
    var bytes = [UInt8](repeating: 0xFF, count: Heartbeat.byteCount)
    bytes.withUnsafeMutableBytes { heartbeat.encode(token: 99, into: $0) }
    #expect(bytes.withUnsafeBytes { Heartbeat($0, token: 99) } == heartbeat)
    // Of another job, cut off, or nonsense.
    #expect(bytes.withUnsafeBytes { Heartbeat($0, token: 98) } == nil)
    #expect(bytes.dropLast().withUnsafeBytes { Heartbeat($0, token: 99) } == nil)
    bytes[71] = 200
    #expect(bytes.withUnsafeBytes { Heartbeat($0, token: 99) } == nil)
  }
}
