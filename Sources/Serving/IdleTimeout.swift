import FlyingSocks
import Foundation

/// A pool of sockets that gives up those that neither send nor take anything for some time, so that connections that are
/// held open and forgotten do not use up the system's. The socket that waits for new connections may wait for ever.
package struct IdleTimeout<Base: AsyncSocketPool>: AsyncSocketPool {
  private let base: Base
  private let seconds: Double

  package init(_ base: Base, seconds: Double) {
    self.base = base
    self.seconds = seconds
  }

  package func prepare() async throws { try await base.prepare() }

  package func run() async throws { try await base.run() }

  package func suspendSocket(_ socket: Socket, untilReadyFor events: Socket.Events) async throws {
    guard try !waitsForConnections(socket) else {
      return try await base.suspendSocket(socket, untilReadyFor: events)
    }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await base.suspendSocket(socket, untilReadyFor: events) }
      group.addTask {
        try await Task.sleep(for: .seconds(seconds))
        throw SocketError.timeout(message: "nothing for \(seconds) s")
      }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Asks the system: `Socket.getValue` leaks the memory of its answer.
  private func waitsForConnections(_ socket: Socket) throws -> Bool {
    var answer: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    guard getsockopt(socket.file.rawValue, SOL_SOCKET, SO_ACCEPTCONN, &answer, &size) == 0 else {
      throw SocketError.makeFailed("GetOption")
    }
    return answer != 0
  }
}
