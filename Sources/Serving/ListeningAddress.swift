import FlyingSocks
import Foundation

/// Where a server listens: an address of this machine and a port.
public struct ListeningAddress: Equatable, Sendable, CustomStringConvertible {
  /// An IPv4 or IPv6 address.
  public let host: String
  /// The port; 0 lets the system choose.
  public let port: UInt16
  private let isIPv6: Bool

  /// The address `host`, which may be the word `localhost`; nil when it is neither that nor an IPv4 or IPv6 address.
  public init?(host: String, port: UInt16) {
    let host = host == "localhost" ? "127.0.0.1" : host
    var four = in_addr()
    var six = in6_addr()
    isIPv6 = inet_pton(AF_INET6, host, &six) == 1
    guard isIPv6 || inet_pton(AF_INET, host, &four) == 1 else { return nil }
    self.host = host
    self.port = port
  }

  /// Whether only programs of this machine can connect.
  public var isLoopback: Bool { isIPv6 ? host == "::1" : host.hasPrefix("127.") }

  /// `HOST:PORT`, as in a URL.
  public var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// The same host with the port that the system chose.
  func listening(on port: UInt16) -> ListeningAddress {
    ListeningAddress(host: host, port: port, isIPv6: isIPv6)
  }

  private init(host: String, port: UInt16, isIPv6: Bool) {
    self.host = host
    self.port = port
    self.isIPv6 = isIPv6
  }

  /// The address as the system takes it.
  func socketAddress() throws -> any SocketAddress {
    if isIPv6 { return try sockaddr_in6.inet6(ip6: host, port: port) }
    return try sockaddr_in.inet(ip4: host, port: port)
  }
}
