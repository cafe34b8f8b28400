/// Finds the rank that the others wait for, from how long each has waited.
///
/// A rank that computes slowly waits less than the others. One with a slow link makes all wait, itself too, but the others
/// for it.
package struct StragglerDetection: Sendable {
  /// The others wait this share of their time more than the rank, or this share of their waits is for it.
  private static let leastShare = 0.25
  private static let leastPart = 0.5
  /// Below this share of waiting nobody is slowed down enough to speak of.
  private static let leastWaiting = 0.25
  private static let longestPause = 600.0

  private let names: [RankName]
  private let window: Double
  private var windowBegan: Double
  private var waitedBefore: [Double]
  private var reported = -1
  private var nextReport = 0.0
  private var pause = 0.0

  /// Judges every `window` seconds.
  package init(names: [RankName], window: Double, now: Double) {
    self.names = names
    self.window = window
    // The first look only says where the others' clocks begin.
    windowBegan = now - window
    waitedBefore = Array(repeating: -1, count: names.count)
  }

  /// A message when it is time for one. `heartbeat` gives the newest of each rank.
  package mutating func notice(now: Double, heartbeat: (Int) -> Heartbeat) -> String? {
    guard now - windowBegan >= window else { return nil }
    let seconds = now - windowBegan
    windowBegan = now
    let newest = names.indices.map(heartbeat)
    let isFirst = waitedBefore.contains { $0 < 0 }
    let shares = newest.indices.map { min(1, max(0, (newest[$0].waited - waitedBefore[$0]) / seconds)) }
    waitedBefore = newest.map(\.waited)
    guard !isFirst, names.count > 1, let message = message(shares, newest, seconds) else { return nil }
    if message.straggler != reported {
      (reported, pause, nextReport) = (message.straggler, window, now)
    }
    guard now >= nextReport else { return nil }
    pause = min(2 * pause, Self.longestPause)
    nextReport = now + pause
    return message.text
  }

  private func message(
    _ shares: [Double], _ newest: [Heartbeat], _ seconds: Double
  ) -> (straggler: Int, text: String)? {
    var slowest = 0
    for rank in shares.indices where shares[rank] < shares[slowest] { slowest = rank }
    let others = (shares.reduce(0, +) - shares[slowest]) / Double(shares.count - 1)
    let span = "in the last \(Int(seconds.rounded())) s"
    if others - shares[slowest] >= Self.leastShare {
      return (
        slowest,
        "straggler: \(names[slowest]) is slow but alive, now in \(newest[slowest].position): \(span) the others waited "
          + "\(Self.percent(others)) of the time, it \(Self.percent(shares[slowest]))"
      )
    }
    // With two ranks the link between them belongs to both.
    guard names.count > 2, shares.reduce(0, +) / Double(shares.count) >= Self.leastWaiting else { return nil }
    var blame = [Double](repeating: 0, count: names.count)
    for (rank, heartbeat) in newest.enumerated()
    where heartbeat.longestWaitPeer != rank && names.indices.contains(heartbeat.longestWaitPeer) {
      blame[heartbeat.longestWaitPeer] += heartbeat.longestWait
    }
    let total = blame.reduce(0, +)
    guard total > 0 else { return nil }
    var worst = 0
    for rank in blame.indices where blame[rank] > blame[worst] { worst = rank }
    let waiting = shares.reduce(0, +) / Double(shares.count)
    if blame[worst] / total >= Self.leastPart {
      return (
        worst,
        "straggler: \(names[worst]) is alive but its link is slow: \(span) ranks waited \(Self.percent(waiting)) of the "
          + "time, \(Self.percent(blame[worst] / total)) of that for it"
      )
    }
    var ranksByHost: [String: [Int]] = [:]
    for name in names { ranksByHost[name.host, default: []].append(name.rank) }
    guard ranksByHost.count > 2 else { return nil }
    let blames = ranksByHost.map { (host: $0, ranks: $1, blame: $1.reduce(0) { $0 + blame[$1] }) }
    guard let host = blames.max(by: { ($0.blame, $1.host) < ($1.blame, $0.host) }),
      host.blame / total >= Self.leastPart
    else { return nil }
    return (
      host.ranks[0],
      "straggler: host \(host.host) (ranks \(host.ranks.map(String.init).joined(separator: ", "))) is alive but its link "
        + "is slow: \(span) ranks waited \(Self.percent(waiting)) of the time, \(Self.percent(host.blame / total)) of "
        + "that for it"
    )
  }

  private static func percent(_ share: Double) -> String { "\(Int((100 * share).rounded())) %" }
}
