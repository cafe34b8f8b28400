import FlyingFox
import FlyingSocks
import Foundation
import Logging
import Synchronization

/// A web server for completing images in a browser.
public final class CompletionServer: Sendable {
  private let address: ListeningAddress
  private let slots: JobSlots
  private let service: CompletionService
  private let log: Logger

  /// A server of `model` at `address`; each completion computes with `threads` threads.
  public init(
    model: ServedModel, limits: ServingLimits, address: ListeningAddress, threads: Int, log: Logger
  ) {
    self.address = address
    self.log = log
    slots = JobSlots(limit: limits.jobs)
    service = CompletionService(
      model: model, limits: limits, threads: threads, isLoopback: address.isLoopback, slots: slots, log: log)
  }

  /// Serves until `shouldStop`, which is asked often, says yes; completions under way are then ended. `isReady` is told
  /// once where the server listens.
  ///
  /// - Throws: when the address cannot be had.
  public func run(
    shouldStop: @escaping @Sendable () -> Bool, isReady: @escaping @Sendable (ListeningAddress) -> Void
  ) throws {
    let result = Mutex<Result<Void, any Error>>(.success(()))
    let isOver = DispatchSemaphore(value: 0)
    Task.detached {
      do { try await self.serve(shouldStop: shouldStop, isReady: isReady) } catch {
        result.withLock { $0 = .failure(error) }
      }
      isOver.signal()
    }
    isOver.wait()
    try result.withLock { try $0.get() }
  }

  private enum Event {
    case listening(port: UInt16)
    case stopRequested
    case ended(any Error)
  }

  private func serve(
    shouldStop: @escaping @Sendable () -> Bool, isReady: @Sendable (ListeningAddress) -> Void
  ) async throws {
    Self.allowManyConnections()
    var listening: ListeningAddress?
    while true {
      do {
        try await listen(at: listening ?? address, shouldStop: shouldStop) { address in
          guard listening == nil else { return }
          listening = address
          isReady(address)
        }
        return
      } catch {
        // Once it has listened, the server goes on whatever happens: the system may have run out of something that the
        // end of the connections gives back.
        guard listening != nil else { throw Self.servingError(error, at: address) }
        log.warning("connections were lost: \(Self.reason(error)); listening anew")
        try await Task.sleep(for: .milliseconds(200))
      }
    }
  }

  /// Serves at `address` until it is to stop.
  ///
  /// - Throws: when the server ends by itself.
  private func listen(
    at address: ListeningAddress, shouldStop: @escaping @Sendable () -> Bool,
    isReady: (ListeningAddress) -> Void
  ) async throws {
    let server = HTTPServer(
      config: try Self.configuration(address), handler: service)
    try await withThrowingTaskGroup(of: Event.self) { group in
      group.addTask {
        do {
          try await server.run()
          return .ended(SocketError.disconnected)
        } catch { return .ended(error) }
      }
      group.addTask {
        try await server.waitUntilListening(timeout: 3600)
        switch await server.listeningAddress {
        case .ip4(_, let port), .ip6(_, let port): return .listening(port: port)
        default: return .ended(SocketError.unsupportedAddress)
        }
      }
      group.addTask {
        while !shouldStop() { try await Task.sleep(for: .milliseconds(50)) }
        return .stopRequested
      }
      defer { group.cancelAll() }
      while let event = try await group.next() {
        switch event {
        case .listening(let port): isReady(address.listening(on: port))
        case .ended(let error): throw error
        case .stopRequested:
          slots.stop()
          // Completions say why they end after the pixel they are at; what is still open then is cut off.
          await server.stop(timeout: 5)
          return
        }
      }
    }
  }

  private static func configuration(_ address: ListeningAddress) throws -> HTTPServer.Configuration {
    func make(_ address: some SocketAddress, _ pool: some AsyncSocketPool) -> HTTPServer.Configuration {
      HTTPServer.Configuration(
        address: address,
        // Bodies have times of their own; completions answer at once and then stream.
        timeout: 2 * ServingLimits.uploadSeconds + ServingLimits.idleSeconds + 10,
        // Bodies are read by the service or not at all.
        sharedRequestReplaySize: 0, pool: IdleTimeout(pool, seconds: ServingLimits.idleSeconds), logger: .disabled)
    }
    return make(try address.socketAddress(), HTTPServer.defaultPool())
  }

  private static func servingError(_ error: any Error, at address: ListeningAddress) -> any Error {
    if case SocketError.failed(_, EADDRINUSE, _) = error { return ServingError.addressInUse(address) }
    return ServingError.cannotListen(address, reason: reason(error))
  }

  /// What the system says, where it is what refused.
  private static func reason(_ error: any Error) -> String {
    if case SocketError.failed(_, _, let message) = error { return message }
    return error.localizedDescription
  }

  /// Raises the number of files that the process may open, connections among them, as far as the system lets it.
  private static func allowManyConnections() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    // What is not allowed is not needed: connections that do not fit are lost, see serve().
    _ = setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}
