import FlyingFox
import FlyingSocks
import Foundation
import Serving
import Testing

struct IdleTimeoutTests {
  /// Runs `body` with a pool that gives sockets up after 50 ms.
  private func withPool(_ body: @escaping @Sendable (any AsyncSocketPool) async throws -> Void) async throws {
    let pool = IdleTimeout(HTTPServer.defaultPool(), seconds: 0.05)
    try await pool.prepare()
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await pool.run() }
      group.addTask { try await body(pool) }
      try await group.next()
      group.cancelAll()
    }
  }

  private func listening() throws -> (socket: Socket, port: UInt16) {
    let socket = try Socket(domain: AF_INET)
    try socket.bind(to: .inet(ip4: "127.0.0.1", port: 0))
    try socket.listen()
    guard case .ip4(_, let port) = try socket.sockname() else { throw SocketError.unsupportedAddress }
    return (socket, port)
  }

  @Test func aConnectionOnWhichNothingHappensIsGivenUp() async throws {
    let (listener, port) = try listening()
    try await withPool { pool in
      func accept(_ pool: some AsyncSocketPool) async throws {
        let client = try Socket(domain: AF_INET)
        try client.connect(to: .inet(ip4: "127.0.0.1", port: port))
        let server = try await AsyncSocket(socket: listener, pool: pool).accept()
        _ = try client.write(Data([7]))
        #expect(try await server.read(atMost: 1) == [7])
        await #expect(throws: SocketError.timeout(message: "nothing for 0.05 s")) {
          _ = try await server.read(atMost: 1)
        }
        try server.close()
        try client.close()
      }
      try await accept(pool)
    }
    try listener.close()
  }

  @Test func theSocketThatWaitsForConnectionsIsNot() async throws {
    let (listener, port) = try listening()
    try await withPool { pool in
      func accept(_ pool: some AsyncSocketPool) async throws {
        let socket = try AsyncSocket(socket: listener, pool: pool)
        let waiting = Task { try await socket.accept() }
        try await Task.sleep(for: .milliseconds(250))
        let client = try Socket(domain: AF_INET)
        try client.connect(to: .inet(ip4: "127.0.0.1", port: port))
        try await waiting.value.close()
        try client.close()
      }
      try await accept(pool)
    }
    try listener.close()
  }
}
