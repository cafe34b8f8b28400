import Foundation

/// What others need to know to exchange heartbeats with a rank.
struct HeartbeatCard: Codable, Sendable {
  let process: Int32
  let port: UInt16
  /// Of the host.
  let addresses: [HeartbeatAddress]
  /// The same for all processes that reach each other by the loopback, and for no others.
  let network: String
  /// Why there are no heartbeats; nil when all is well.
  let failure: String?
  /// Rank 0's marks the datagrams of this job.
  let token: UInt64

  /// This process's, which listens to `port`.
  init(port: UInt16, failure: String?) {
    process = getpid()
    self.port = port
    self.failure = failure
    addresses = HeartbeatAddress.own()
    network = Self.ownNetwork()
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    token =
      UInt64(truncatingIfNeeded: time.tv_sec) << 32 ^ UInt64(truncatingIfNeeded: time.tv_nsec) << 16
      ^ UInt64(UInt32(bitPattern: process))
  }

  /// Reads another rank's; nil if it is none.
  init?(_ bytes: [UInt8]) {
    do { self = try JSONDecoder().decode(Self.self, from: Data(bytes)) } catch { return nil }
  }

  /// For the other ranks; empty if that cannot be, which they say.
  var encoded: [UInt8] {
    do { return Array(try JSONEncoder().encode(self)) } catch { return [] }
  }

  /// Where the rank of `other` may reach this one.
  func addresses(seenFrom other: HeartbeatCard) -> [HeartbeatAddress] {
    network == other.network ? [.loopback] : addresses
  }

  private static func ownNetwork() -> String {
    let boot = FileManager.default.contents(atPath: "/proc/sys/kernel/random/boot_id") ?? Data()
    var name = [CChar](repeating: 0, count: 128)
    let length = max(0, readlink("/proc/self/ns/net", &name, name.count))
    return String(decoding: boot, as: UTF8.self)
      + String(decoding: name.prefix(length).map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
