import Foundation

/// Why a rank cannot send or receive heartbeats.
package struct HeartbeatFailure: Error, Sendable, CustomStringConvertible {
  package let description: String

  init(_ call: String) { description = "\(call): \(String(cString: strerror(errno)))" }
}

/// The datagram socket of a rank, on a port that the system chooses, reachable by all addresses of the host.
///
/// Sendable because only the watchdog's thread uses it once it is made.
final class HeartbeatSocket: @unchecked Sendable {
  /// More addresses than this of one host are not tried.
  private static let mostAddresses = 16

  let port: UInt16
  private let descriptor: Int32
  private let outgoing = UnsafeMutableRawBufferPointer.allocate(byteCount: Heartbeat.byteCount, alignment: 8)
  private let incoming = UnsafeMutableRawBufferPointer.allocate(byteCount: 2 * Heartbeat.byteCount, alignment: 8)

  init() throws(HeartbeatFailure) {
    let datagrams = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
    let descriptor = socket(AF_INET, datagrams, 0)
    guard descriptor >= 0 else { throw HeartbeatFailure("socket") }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        bind(descriptor, address, length) == 0 && getsockname(descriptor, address, &length) == 0
      }
    }
    guard isBound else {
      let failure = HeartbeatFailure("bind")
      close(descriptor)
      throw failure
    }
    // Network control: routers that know priorities let it pass a link that gradients fill.
    var service: Int32 = 0xC0
    setsockopt(descriptor, Int32(IPPROTO_IP), IP_TOS, &service, socklen_t(MemoryLayout<Int32>.size))
    self.descriptor = descriptor
    port = UInt16(bigEndian: address.sin_port)
  }

  deinit {
    close(descriptor)
    outgoing.deallocate()
    incoming.deallocate()
  }

  /// Waits until something has come, at most `seconds`.
  func wait(seconds: Double) {
    var wanted = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    poll(&wanted, 1, Int32(max(0, min(seconds, 1)) * 1000) + 1)
  }

  /// The next heartbeat that has come, nil when there is none.
  func receive(token: UInt64) -> Heartbeat? {
    while true {
      let count = recv(descriptor, incoming.baseAddress, incoming.count, 0)
      guard count >= 0 else { return nil }
      if let heartbeat = Heartbeat(UnsafeRawBufferPointer(rebasing: incoming[..<count]), token: token) {
        return heartbeat
      }
    }
  }

  /// Sends to `address`, as the network has it. Whether it arrives only its receiver knows.
  func send(_ heartbeat: Heartbeat, token: UInt64, address: UInt32, port: UInt16) {
    heartbeat.encode(token: token, into: outgoing)
    var target = sockaddr_in()
    target.sin_family = sa_family_t(AF_INET)
    target.sin_port = port.bigEndian
    target.sin_addr.s_addr = address
    _ = withUnsafePointer(to: &target) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
        sendto(
          descriptor, outgoing.baseAddress, Heartbeat.byteCount, Int32(MSG_NOSIGNAL), pointer,
          socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
  }

  /// 127.0.0.1.
  static let loopback = UInt32(0x7F00_0001).bigEndian

  /// The addresses of this host's interfaces that are up, without the loopback's.
  static func ownAddresses() -> [UInt32] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var addresses: [UInt32] = []
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let address = entry.ifa_addr, address.pointee.sa_family == sa_family_t(AF_INET),
        entry.ifa_flags & UInt32(IFF_UP) != 0, entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      addresses.append(address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { $0.pointee.sin_addr.s_addr })
    }
    return Array(addresses.prefix(mostAddresses))
  }
}
