import Collectives
import Foundation
import Testing

struct HeartbeatSocketTests {
  private static let loopback6 = HeartbeatAddress(in6addr_loopback)

  /// Whether what `sender` sends to `address` reaches `receiver`.
  private func arrives(_ address: HeartbeatAddress, from sender: HeartbeatSocket, at receiver: HeartbeatSocket) -> Bool
  {
    var heartbeat = Heartbeat(from: 1, to: 0, position: RankPosition(step: 3, phase: .computation))
    heartbeat.progress = .random(in: 0 ... .max)
    sender.send(heartbeat, token: 5, address: address, port: receiver.port)
    receiver.wait(seconds: 1)
    return receiver.receive(token: 5) == heartbeat
  }

  @Test func heartbeatsArriveByEitherVersion() throws {
    let (first, second) = (try HeartbeatSocket(), try HeartbeatSocket())
    #expect(arrives(.loopback, from: first, at: second))
    #expect(arrives(.loopback, from: second, at: first))
    // Where the system has IPv6 at all.
    guard FileManager.default.contents(atPath: "/proc/net/if_inet6")?.isEmpty == false else { return }
    #expect(arrives(Self.loopback6, from: first, at: second))
  }

  @Test func aSocketOfVersion4ReachesItsLikeAndOneOfBoth() throws {
    let (old, other, both) = (
      try HeartbeatSocket(isVersion6: false), try HeartbeatSocket(isVersion6: false), try HeartbeatSocket()
    )
    #expect(arrives(.loopback, from: old, at: other))
    #expect(arrives(.loopback, from: old, at: both))
    #expect(arrives(.loopback, from: both, at: old))
    #expect(!arrives(Self.loopback6, from: old, at: other))
  }

  @Test func anAddressIsTheSameForAllHosts() throws {
    // Cards travel as JSON between ranks on unlike processors.
    let text = String(decoding: try JSONEncoder().encode(HeartbeatAddress.loopback), as: UTF8.self)
    let fields = try JSONDecoder().decode([String: UInt64].self, from: Data(text.utf8))
    #expect(fields == ["high": 0, "low": 0xFFFF_7F00_0001])
    #expect(try JSONDecoder().decode(HeartbeatAddress.self, from: Data(text.utf8)) == .loopback)
  }
}
