import Foundation

/// Why a rank cannot send or receive heartbeats.
package struct HeartbeatFailure: Error, Sendable, CustomStringConvertible {
  package let description: String

  init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// The datagram socket of a rank, on a port that the system chooses, reachable by all addresses of the host.
///
/// Sendable because only the watchdog's thread uses it once it is made.
package final class HeartbeatSocket: @unchecked Sendable {
  package let port: UInt16
  private let descriptor: Int32
  /// Of IPv6, which also reaches IPv4 addresses; of IPv4 where the system has nothing else.
  private let isVersion6: Bool
  private let outgoing = UnsafeMutableRawBufferPointer.allocate(byteCount: Heartbeat.byteCount, alignment: 8)
  private let incoming = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Heartbeat.byteCount, alignment: 8)

  /// - Throws: when the system gives no socket.
  package convenience init() throws(HeartbeatFailure) {
    do throws(HeartbeatFailure) { try self.init(isVersion6: true) } catch { try self.init(isVersion6: false) }
  }

  package init(isVersion6: Bool) throws(HeartbeatFailure) {
    let datagrams = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(isVersion6 ? AF_INET6 : AF_INET, datagrams, 0)
    guard descriptor >= 0 else { throw HeartbeatFailure("socket") }
    // Network control: routers that know priorities let it pass a link that gradients fill.
    Self.set(descriptor, IPPROTO_IP, IP_TOS, 0xC0)
    let bound: UInt16?
    if isVersion6 {
      Self.set(descriptor, IPPROTO_IPV6, IPV6_TCLASS, 0xC0)
      Self.set(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, 0)
      var address = sockaddr_in6()
      address.sin6_family = sa_family_t(AF_INET6)
      bound = Self.bound(descriptor, &address) ? address.sin6_port : nil
    } else {
      var address = sockaddr_in()
      address.sin_family = sa_family_t(AF_INET)
      bound = Self.bound(descriptor, &address) ? address.sin_port : nil
    }
    guard let bound else {
      let failure = HeartbeatFailure("bind")
      close(descriptor)
      throw failure
    }
    self.descriptor = descriptor
    self.isVersion6 = isVersion6
    port = UInt16(bigEndian: bound)
  }

  private static func set(_ descriptor: Int32, _ level: Int, _ name: Int32, _ value: Int32) {
    var value = value
    setsockopt(descriptor, Int32(level), name, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  /// Binds to `address`, whose port becomes the one that the system chooses.
  private static func bound<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
    var length = socklen_t(MemoryLayout<Address>.size)
    return withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
  }

  deinit {
    close(descriptor)
    outgoing.deallocate()
    incoming.deallocate()
  }

  /// Waits until something has come, at most `seconds`.
  package func wait(seconds: Double) {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    poll(&wanted, 1, Int32(max(0, min(seconds, 1)) * 1000) + 1)
  }

  /// The next heartbeat that has come, nil when there is none.
  package func receive(token: UInt64) -> Heartbeat? {
    while true {
      let count = recv(descriptor, incoming.baseAddress, incoming.count, 0)
      guard count >= 0 else { return nil }
      if let heartbeat = Heartbeat(UnsafeRawBufferPointer(rebasing: incoming[..<count]), token: token) {
        return heartbeat
      }
    }
  }

  /// Sends to `address`. Whether it arrives only its receiver knows.
  package func send(_ heartbeat: Heartbeat, token: UInt64, address: HeartbeatAddress, port: UInt16) {
    heartbeat.encode(token: token, into: outgoing)
    if isVersion6 {
      var target = sockaddr_in6()
      target.sin6_family = sa_family_t(AF_INET6)
      target.sin6_port = port.bigEndian
      target.sin6_addr = address.version6
      send(to: &target)
    } else if let address = address.version4 {
      var target = sockaddr_in()
      target.sin_family = sa_family_t(AF_INET)
      target.sin_port = port.bigEndian
      target.sin_addr = address
      send(to: &target)
    }
  }

  private func send<Address>(to target: inout Address) {
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        sendto(
          descriptor, outgoing.baseAddress, Heartbeat.byteCount, Int32(MSG_NOSIGNAL), pointer,
          socklen_t(MemoryLayout<Address>.size))
      }
    }
  }
}
