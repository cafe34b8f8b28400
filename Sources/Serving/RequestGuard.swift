import FlyingFox

/// Keeps pages of other sites from using the server through the browser of somebody who may.
///
/// A page elsewhere can make a browser send requests to this machine, and, by pointing its own name to 127.0.0.1 (DNS
/// rebinding), even read the answers. So a server on loopback answers only to loopback's names; and what browsers say of
/// where a request comes from must be this server itself.
struct RequestGuard: Sendable {
  private static let loopbackNames = ["localhost", "127.0.0.1", "[::1]"]
  private let isLoopback: Bool

  /// A guard of a server that only this machine can reach, or others too.
  init(isLoopback: Bool) { self.isLoopback = isLoopback }

  /// - Throws: when `request` comes from another site.
  func check(_ request: HTTPRequest) throws(Refusal) {
    guard let host = request.headers[.host]?.lowercased(),
      !isLoopback || Self.loopbackNames.contains(Self.name(of: host))
    else { throw .foreignHost(request.headers[.host]) }
    // The scheme may differ: a proxy before the server may speak HTTPS.
    if let origin = request.headers[HTTPHeader("Origin")]?.lowercased(),
      origin.split(separator: "/", omittingEmptySubsequences: true).last.map(String.init) != host
    {
      throw .foreignPage(origin)
    }
    // The page itself may be linked from anywhere.
    if request.path != "/", let site = request.headers[HTTPHeader("Sec-Fetch-Site")],
      site != "same-origin" && site != "none"
    {
      throw .foreignPage("another site")
    }
  }

  /// The name in `NAME:PORT`; IPv6 addresses are in brackets.
  private static func name(of host: String) -> String {
    if host.hasPrefix("["), let end = host.firstIndex(of: "]") { return String(host[...end]) }
    return String(host.prefix { $0 != ":" })
  }
}
