import Foundation

/// A connection to a server on this machine, one request, and what is answered: plain bytes, so that tests can send what
/// well-behaved clients do not.
final class HTTPConnection {
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var isOpen = true

  private struct Refused: Error {
    let operation: String
    let reason: String
  }

  /// Connects to `port` of 127.0.0.1.
  init(port: Int) throws {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    // A test that hangs fails.
    var limit = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    let result = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard result == 0 else { throw Refused(operation: "connect", reason: String(cString: strerror(errno))) }
  }

  deinit { close() }

  /// Goes away, whatever is still to come.
  func close() {
    guard isOpen else { return }
    isOpen = false
    Glibc.close(descriptor)
  }

  /// Sends `bytes`.
  func send(_ bytes: [UInt8]) throws {
    var sent = 0
    while sent < bytes.count {
      let count = bytes[sent...].withUnsafeBytes {
        Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
      }
      guard count > 0 else { throw Refused(operation: "send", reason: String(cString: strerror(errno))) }
      sent += count
    }
  }

  /// Sends a request with `headers` and a body; `Host` is this machine's unless it is given, an empty value leaves a
  /// header out.
  func send(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) throws {
    var all = ["Host": "127.0.0.1", "Connection": "close", "Content-Length": "\(body.count)"]
    all.merge(headers) { $1 }
    let lines = all.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)\r\n" }
    try send(Array("\(method) \(path) HTTP/1.1\r\n\(lines.joined())\r\n".utf8) + body)
  }

  /// The next line, without its end; nil when the connection has ended.
  func line() throws -> String? {
    while true {
      if let end = buffer.firstIndex(of: 0x0A) {
        let line = buffer[..<end]
        buffer.removeSubrange(...end)
        return String(decoding: line, as: UTF8.self).trimmingCharacters(in: ["\r"])
      }
      guard try receive() else { return nil }
    }
  }

  /// Everything that comes until the connection ends.
  func rest() throws -> [UInt8] {
    while try receive() {}
    defer { buffer = [] }
    return buffer
  }

  private func receive() throws -> Bool {
    var part = [UInt8](repeating: 0, count: 1 << 16)
    let count = recv(descriptor, &part, part.count, 0)
    guard count >= 0 else { throw Refused(operation: "receive", reason: String(cString: strerror(errno))) }
    buffer += part[..<count]
    return count > 0
  }
}

/// What a server answered.
struct HTTPAnswer {
  let status: Int
  /// By names in lower case.
  let headers: [String: String]
  let body: [UInt8]

  private struct Malformed: Error {
    let what: String
  }

  /// Reads the answer that comes on `connection`, to its end.
  init(from connection: HTTPConnection) throws {
    (status, headers) = try Self.head(from: connection)
    guard headers["transfer-encoding"] == "chunked" else {
      body = try connection.rest()
      return
    }
    var bytes: [UInt8] = []
    var rest = try connection.rest()[...]
    while true {
      guard let end = rest.firstIndex(of: 0x0A),
        let count = Int(
          String(decoding: rest[..<end], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines), radix: 16),
        rest.count >= count + 2
      else { throw Malformed(what: "chunk") }
      if count == 0 { break }
      let start = end + 1
      bytes += rest[start..<(start + count)]
      rest = rest[(start + count + 2)...]
    }
    body = bytes
  }

  /// The status and the headers that come on `connection`.
  static func head(from connection: HTTPConnection) throws -> (status: Int, headers: [String: String]) {
    guard let first = try connection.line(), let status = Int(first.split(separator: " ").dropFirst().first ?? "")
    else {
      throw Malformed(what: "status")
    }
    var headers: [String: String] = [:]
    while let line = try connection.line(), !line.isEmpty {
      let parts = line.split(separator: ":", maxSplits: 1)
      headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
    }
    return (status, headers)
  }

  /// The body as text.
  var text: String { String(decoding: body, as: UTF8.self) }

  /// The reason of a refusal.
  var error: String? {
    get throws { try JSONDecoder().decode([String: String].self, from: Data(body))["error"] }
  }
}
