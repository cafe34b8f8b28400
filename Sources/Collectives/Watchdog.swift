import Foundation
import Synchronization

/// What a watchdog wants in a log.
public enum WatchdogNotice: Sendable, Equatable {
  /// A rank is slow; the job goes on.
  case straggler(String)
  /// This process ends; standard error says so already.
  case ending(WatchdogEnding)
}

/// Why a watchdog ends its process.
public struct WatchdogEnding: Sendable, Equatable {
  /// What happened, where, what it may come from.
  public let message: String
  /// The same for the same kind of failure; nil for what only follows from a failure elsewhere.
  public let reason: String?
  /// The step under way, if any.
  public let step: Int?
}

/// Ends this process when the ranks cannot go on: with a message that names the cause, also when MPI itself hangs.
///
/// It is a thread of its own that uses neither MPI nor anything that a stuck rank may hold. It exchanges heartbeats with
/// all other ranks, by datagrams, and judges by them: silence for longer than the timeout means that a rank is dead, stopped
/// or unreachable; one that is heard is waited for, however slow it is.
///
/// Sendable because everything that is shared is behind a lock, and the rest is the thread's own.
final class Watchdog: @unchecked Sendable {
  /// Exit code when ranks cannot go on.
  static let exitCode: Int32 = 76

  /// How long the ranks that are left have to say where they are before the first of them ends.
  private static let farewellSeconds = 0.5
  /// Beyond its deadline, a wait that ends itself must have ended.
  private static let graceSeconds = 10.0
  private static let abortSeconds = 10.0
  /// A thread that wakes up later than this was not let run.
  private static let leastPauseSeconds = 0.2

  /// How to reach the other ranks.
  struct Network: Sendable {
    let rank: Int
    let names: [RankName]
    let socket: HeartbeatSocket
    /// By rank.
    let addresses: [[HeartbeatAddress]]
    let ports: [UInt16]
    let token: UInt64
  }

  private enum Stage {
    /// Nobody is known yet: only this rank's own calls are judged.
    case alone
    /// Heartbeats are exchanged, but not relied on.
    case greeting
    case watching
    /// All have agreed to end.
    case leaving
    case stopped
  }

  private struct Shared {
    var stage = Stage.alone
    var timeout: Double
    /// Nil while it is not known, and for a rank without others.
    var rank: Int?
    var network: Network?
    var unreached: [Int]?
    var ending = Heartbeat.Ending.none
    var exitCode = Watchdog.exitCode
    var log: (@Sendable (WatchdogNotice) -> Void)?
  }

  let activity: Activity
  private let launcher: Launcher?
  private let shared: Mutex<Shared>
  // The thread's own.
  private var records: PeerRecords?
  private var stragglers: StragglerDetection?
  private var longestWait = (peer: 0, seconds: 0.0)
  private var longestWaitTaken = 0.0
  private var lastProgress: UInt64 = 0
  private var beats: UInt64 = 0

  /// Starts to watch this process.
  init(activity: Activity, timeoutSeconds: Double) {
    self.activity = activity
    launcher = Launcher()
    shared = Mutex(Shared(timeout: timeoutSeconds))
    let thread = Thread { [self] in run() }
    thread.name = "watchdog"
    thread.stackSize = 1 << 20
    thread.start()
  }

  var timeoutSeconds: Double {
    get { shared.withLock { $0.timeout } }
    set { shared.withLock { $0.timeout = newValue } }
  }

  /// Whether silent ranks are found by heartbeats.
  var hasHeartbeat: Bool { shared.withLock { $0.stage == .watching } }

  /// Where to write what it notices.
  func setLog(_ log: @escaping @Sendable (WatchdogNotice) -> Void) { shared.withLock { $0.log = log } }

  /// How messages name this process.
  func setRank(_ rank: Int) { shared.withLock { $0.rank = rank } }

  /// How long a wait may take where there are no heartbeats.
  var deadlineWithoutHeartbeat: Double {
    Self.deadlineWithoutHeartbeat(timeout: timeoutSeconds, longestStep: activity.snapshot.longestStep)
  }

  /// Begins to exchange heartbeats.
  func greet(_ network: Network) {
    shared.withLock {
      $0.network = network
      $0.stage = .greeting
    }
  }

  /// The ranks with which heartbeats are not exchanged in both directions within `seconds`.
  func unreached(after seconds: Double) -> [Int] {
    var patience = PollingWait()
    while true {
      let unreached = shared.withLock { $0.unreached }
      if unreached == [] { return [] }
      if patience.seconds >= seconds { return unreached ?? [] }
      patience.pause()
    }
  }

  /// Relies on heartbeats from now on, or does without.
  func rely(onHeartbeat isWorking: Bool) {
    shared.withLock {
      $0.stage = isWorking ? .watching : .alone
      if !isWorking { $0.network = nil }
    }
  }

  /// All ranks are about to leave: nobody is missed any more.
  func leave() { shared.withLock { $0.stage = .leaving } }

  /// Ends the thread.
  func stop() { shared.withLock { $0.stage = .stopped } }

  /// Tells the others that this rank ends because of an error, and sees to it that it does, with `exitCode`.
  func announceFailure(exitCode: Int32) {
    shared.withLock {
      $0.ending = .failed
      $0.exitCode = exitCode
    }
  }

  // MARK: The thread

  private func run() {
    var nextBeat = 0.0
    var last = MonotonicTime.now
    while true {
      let state = shared.withLock { $0 }
      if state.stage == .stopped { return }
      if let network = state.network {
        network.socket.wait(seconds: nextBeat - MonotonicTime.now)
        if records == nil {
          records = PeerRecords(rank: network.rank, names: network.names, now: MonotonicTime.now)
        }
      } else {
        usleep(20_000)
      }
      let now = MonotonicTime.now
      // A process that was stopped knows nothing of the others' silence, and did not wait for them.
      if now - last > 2 { records?.discount(now - last) }
      let pause = now - max(last, nextBeat)
      if pause > Self.leastPauseSeconds { activity.discountPause(pause) }
      last = now
      if let network = state.network {
        while let heartbeat = network.socket.receive(token: network.token) { records?.note(heartbeat, now: now) }
        if state.stage == .greeting {
          let unreached = records?.unreached
          shared.withLock { $0.unreached = unreached }
        }
      }
      guard now >= nextBeat || state.network == nil else { continue }
      let snapshot = activity.snapshot
      if let network = state.network { beat(network, state, snapshot, now) }
      if let verdict = verdict(state, snapshot, now) { end(verdict, state, snapshot) }
      nextBeat = now + interval(state)
    }
  }

  /// Seconds between two heartbeats: often enough to lose many, seldom enough to cost nothing.
  private func interval(_ state: Shared) -> Double {
    if state.stage == .greeting { return 0.02 }
    let ranks = Double(state.network?.names.count ?? 1)
    // Never in step with the steps of the training.
    let fraction = (Double(beats) * 0.618_033_988_749_895).truncatingRemainder(dividingBy: 1)
    return max(0.05, min(1, state.timeout / 20)) * max(1, ranks / 256) * (0.75 + 0.5 * fraction)
  }

  private func beat(_ network: Network, _ state: Shared, _ snapshot: Activity.Snapshot, _ now: Double) {
    let window = max(2, state.timeout / 2)
    if now - longestWaitTaken >= window {
      longestWait = activity.takeLongestWait()
      longestWaitTaken = now
    }
    send(heartbeat(network, state.ending, snapshot), network, now, silence: 5 * interval(state))
    // Of a rank that is silent nothing is known.
    guard state.stage == .watching, network.rank == 0, let records,
      records.areAllHeard(now: now, within: 4 * interval(state))
    else { return }
    if stragglers == nil { stragglers = StragglerDetection(names: network.names, window: window, now: now) }
    let own = heartbeat(network, .none, snapshot)
    let notice = stragglers?.notice(now: now) { $0 == 0 ? own : records.lastHeartbeat(of: $0) }
    if let notice, let log = state.log {
      // A log on a disk that hangs must not stop the watchdog.
      Thread.detachNewThread { log(.straggler(notice)) }
    }
  }

  private func heartbeat(
    _ network: Network, _ ending: Heartbeat.Ending, _ snapshot: Activity.Snapshot
  ) -> Heartbeat {
    var heartbeat = Heartbeat(from: network.rank, to: network.rank, position: snapshot.position)
    heartbeat.ending = ending
    heartbeat.isWaiting = snapshot.isWaiting
    heartbeat.progress = snapshot.progress
    heartbeat.waited = snapshot.waited
    heartbeat.processor = MonotonicTime.processor
    heartbeat.longestWaitPeer = longestWait.peer
    heartbeat.longestWait = longestWait.seconds
    return heartbeat
  }

  private func send(_ heartbeat: Heartbeat, _ network: Network, _ now: Double, silence: Double) {
    guard let records else { return }
    var heartbeat = heartbeat
    beats += 1
    for distance in 1..<max(1, network.names.count) {
      let peer = (network.rank + distance) % network.names.count
      heartbeat.to = peer
      heartbeat.reachedAt = records.reaches(by: peer)
      let known = records.address(of: peer, now: now, within: silence)
      for (index, address) in network.addresses[peer].enumerated() where known < 0 || known == index {
        heartbeat.address = index
        network.socket.send(heartbeat, token: network.token, address: address, port: network.ports[peer])
      }
    }
  }

  // MARK: Judging

  private func verdict(_ state: Shared, _ snapshot: Activity.Snapshot, _ now: Double) -> WatchdogVerdict? {
    let hasMoved = snapshot.progress != lastProgress
    lastProgress = snapshot.progress
    if launcher?.isGone == true && state.stage != .leaving { return .launcherGone(at: snapshot.position) }
    let waited = now - snapshot.operationBegan
    if let operation = snapshot.position.operation, let call = snapshot.blockingCall {
      let limit = operation == .abort ? Self.abortSeconds : state.timeout
      if waited > limit { return .blocked(call: "\(call)", seconds: limit) }
    }
    let deadline = Self.deadline(timeout: state.timeout, longestStep: snapshot.longestStep)
    switch state.stage {
    case .watching:
      return records?.verdict(
        own: snapshot.position, isWaiting: snapshot.isWaiting, hasMoved: hasMoved, now: now, timeout: state.timeout,
        deadline: deadline)
    case .alone, .greeting:
      // The wait ends itself, unless MPI does not let it.
      let limit = Self.deadlineWithoutHeartbeat(timeout: state.timeout, longestStep: snapshot.longestStep)
      guard let operation = snapshot.position.operation, waited > limit + Self.graceSeconds else { return nil }
      return .blocked(call: "\(operation)\(CollectiveError.place(snapshot.position.step))", seconds: waited)
    case .leaving, .stopped: return nil
    }
  }

  /// How long nothing may move: the timeout, or more where steps take long.
  private static func deadline(timeout: Double, longestStep: Double) -> Double { max(timeout, 3 * longestStep) }

  /// How long one wait may take where only that tells a lost rank from a slow one. A first step may take long.
  private static func deadlineWithoutHeartbeat(timeout: Double, longestStep: Double) -> Double {
    longestStep > 0 ? deadline(timeout: timeout, longestStep: longestStep) : 10 * timeout
  }

  private func end(_ verdict: WatchdogVerdict, _ state: Shared, _ snapshot: Activity.Snapshot) -> Never {
    // The launcher may be gone with the other end of standard error.
    signal(SIGPIPE, SIG_IGN)
    let isAborting = snapshot.position.operation == .abort
    let isLogged = DispatchSemaphore(value: 0)
    if !isAborting {
      let ending = WatchdogEnding(message: "\(verdict)", reason: verdict.reason, step: snapshot.position.step)
      let who = state.rank.map { "lmconv: rank \($0): error: " } ?? "lmconv: error: "
      Self.write(who + ending.message + "\n")
      if let log = state.log {
        Thread.detachNewThread {
          log(.ending(ending))
          isLogged.signal()
        }
      } else {
        isLogged.signal()
      }
    }
    if let network = state.network {
      var farewell = heartbeat(network, .failed, snapshot)
      if case .lost(_, let ranks) = verdict, let first = ranks.first {
        farewell.ending = .missesRank
        farewell.missedRank = first.name.rank
      }
      for _ in 0..<5 {
        send(farewell, network, MonotonicTime.now, silence: 0)
        usleep(UInt32(Self.farewellSeconds / 5 * 1e6))
      }
    }
    // A disk that hangs must not stop the end.
    if !isAborting { _ = isLogged.wait(timeout: .now() + Self.farewellSeconds) }
    if state.exitCode == Self.exitCode { launcher?.endIfItStays() }
    _exit(state.exitCode)
  }

  /// Writes to standard error if that takes it; a pipe that nobody empties must not stop the end.
  private static func write(_ text: String) {
    var wanted = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
    guard poll(&wanted, 1, 200) > 0 else { return }
    var text = text
    _ = text.withUTF8 { Glibc.write(STDERR_FILENO, $0.baseAddress, min($0.count, Int(PIPE_BUF))) }
  }
}
