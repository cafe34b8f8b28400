import Foundation

/// Where a host may be reached: an IPv6 address, or an IPv4 address mapped into one (RFC 4291, section 2.5.5.2).
package struct HeartbeatAddress: Codable, Sendable, Equatable {
  // The 16 bytes in the order of the network, each half as a number that has its first byte on top.
  private let high: UInt64
  private let low: UInt64

  private static let mapped: UInt64 = 0xFFFF << 32

  /// 127.0.0.1.
  package static let loopback = HeartbeatAddress(in_addr(s_addr: UInt32(0x7F00_0001).bigEndian))

  /// An IPv4 address.
  package init(_ address: in_addr) {
    high = 0
    low = Self.mapped | UInt64(UInt32(bigEndian: address.s_addr))
  }

  /// An IPv6 address.
  package init(_ address: in6_addr) {
    (high, low) = withUnsafeBytes(of: address) {
      (
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 0, as: UInt64.self)),
        UInt64(bigEndian: $0.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
      )
    }
  }

  /// It, if it is an IPv4 address.
  var version4: in_addr? {
    guard high == 0 && low & ~UInt64(UInt32.max) == Self.mapped else { return nil }
    return in_addr(s_addr: UInt32(truncatingIfNeeded: low).bigEndian)
  }

  /// It as an IPv6 address.
  var version6: in6_addr {
    var address = in6_addr()
    withUnsafeMutableBytes(of: &address) {
      $0.storeBytes(of: high.bigEndian, toByteOffset: 0, as: UInt64.self)
      $0.storeBytes(of: low.bigEndian, toByteOffset: 8, as: UInt64.self)
    }
    return address
  }

  /// Valid on one link only, so that another host cannot tell by which of its own it leads here.
  private var isLinkLocal: Bool { high >> 54 == 0xFE80 >> 6 }

  /// More addresses than this of one host are not tried.
  private static let most = 16

  /// The addresses of this host's interfaces that are up, without the loopback's, IPv4 first.
  static func own() -> [HeartbeatAddress] {
    var list: UnsafeMutablePointer<ifaddrs>?
    guard getifaddrs(&list) == 0 else { return [] }
    defer { freeifaddrs(list) }
    var (first, second): ([HeartbeatAddress], [HeartbeatAddress]) = ([], [])
    var next = list
    while let entry = next?.pointee {
      next = entry.ifa_next
      guard let address = entry.ifa_addr, entry.ifa_flags & UInt32(IFF_UP) != 0,
        entry.ifa_flags & UInt32(IFF_LOOPBACK) == 0
      else { continue }
      switch Int32(address.pointee.sa_family) {
      case AF_INET:
        first.append(address.withMemoryRebound(to: sockaddr_in.self, capacity: 1) { Self($0.pointee.sin_addr) })
      case AF_INET6:
        let found = address.withMemoryRebound(to: sockaddr_in6.self, capacity: 1) { Self($0.pointee.sin6_addr) }
        if !found.isLinkLocal { second.append(found) }
      default: continue
      }
    }
    return Array((first + second).prefix(most))
  }
}
