/// Why a server cannot begin.
public enum ServingError: Error, Equatable, CustomStringConvertible {
  /// Another program listens there.
  case addressInUse(ListeningAddress)
  /// The system refuses to listen there.
  case cannotListen(ListeningAddress, reason: String)

  /// What happened, and what to do.
  public var description: String {
    switch self {
    case .addressInUse(let address):
      return "\(address): another program listens on this port; choose one with --port, or let the system do so with "
        + "--port 0"
    case .cannotListen(let address, let reason): return "\(address): cannot listen: \(reason)"
    }
  }
}
