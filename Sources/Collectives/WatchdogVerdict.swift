/// Why the watchdog of a rank ends its process.
package enum WatchdogVerdict: Sendable, CustomStringConvertible {
  /// A rank that is heard no more.
  package struct LostRank: Sendable, Equatable, CustomStringConvertible {
    package let name: RankName
    /// Seconds since it was last heard.
    package let seconds: Double
    /// Where it was then.
    package let lastSeen: RankPosition

    package init(name: RankName, seconds: Double, lastSeen: RankPosition) {
      self.name = name
      self.seconds = seconds
      self.lastSeen = lastSeen
    }

    package var description: String {
      "\(name) silent for \(Int(seconds.rounded())) s, last seen in \(lastSeen)"
    }
  }

  /// Ranks are dead, stopped or unreachable.
  case lost(at: RankPosition, [LostRank])
  /// Another rank gave up, because of `missed` if it says so, or of an error that it has reported.
  case endedByPeer(at: RankPosition, RankName, missed: RankName?)
  /// All ranks are heard, all wait, and nothing moves.
  case stalled(at: RankPosition, seconds: Double, waits: [(name: RankName, position: RankPosition)])
  /// A rank is heard but has done nothing for long.
  case stuck(at: RankPosition, RankName, seconds: Double, position: RankPosition)
  /// A call of MPI does not return.
  case blocked(call: String, seconds: Double)
  /// The process that started this one has ended.
  case launcherGone(at: RankPosition)

  /// More ranks than this are counted, not named.
  private static let mostNamed = 8

  /// What happened, where, what it may come from.
  package var description: String {
    switch self {
    case .lost(let position, let ranks):
      return "\(Self.own(position)): \(Self.list(ranks.map(\.description))); dead, stopped or unreachable"
    case .endedByPeer(let position, let peer, let missed):
      let reason = missed.map { "because it does not hear \($0)" } ?? "because of an error that it has reported"
      return "\(Self.own(position)): \(peer) ended the job \(reason)"
    case .stalled(let position, let seconds, let waits):
      let places = waits.map { "\($0.name) in \($0.position)" }
      return
        "\(Self.own(position)): all ranks are heard and wait, but nothing has moved for \(Int(seconds.rounded())) s: "
        + "the network that MPI uses is cut, or a defect of this program makes them wait for different things; "
        + Self.list(places)
    case .stuck(let position, let peer, let seconds, let place):
      return
        "\(Self.own(position)): \(peer) is heard but has done nothing for \(Int(seconds.rounded())) s, in \(place); "
        + "see whether a file system or a device of its host hangs"
    case .blocked(let call, let seconds):
      return "\(call) did not return within \(CollectiveError.text(seconds)) s: another rank or the launcher is gone"
    case .launcherGone(let position): return "\(Self.own(position)): the launcher of this process has ended"
    }
  }

  /// The same for the same kind of failure; nil for what only follows from a failure elsewhere, which those who failed tell.
  package var reason: String? {
    switch self {
    case .lost, .endedByPeer(_, _, missed: .some): return "Watchdog.lostRank"
    case .stalled: return "Watchdog.stalled"
    case .stuck: return "Watchdog.stuckRank"
    case .blocked: return "Watchdog.blockedCall"
    case .endedByPeer(_, _, missed: nil), .launcherGone: return nil
    }
  }

  private static func own(_ position: RankPosition) -> String {
    (position.operation == nil ? "busy in " : "waiting in ") + "\(position)"
  }

  private static func list(_ entries: [String]) -> String {
    let rest = entries.count - mostNamed
    return entries.prefix(mostNamed).joined(separator: "; ") + (rest > 0 ? "; and \(rest) more" : "")
  }
}
