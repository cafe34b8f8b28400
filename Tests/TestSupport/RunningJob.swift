import Foundation

/// How a process ended.
package enum Ending: Equatable, Sendable, CustomStringConvertible {
  case exited(Int32)
  case killed(signal: Int32)

  /// From what `waitpid` says.
  package init(status: Int32) {
    self = status & 0x7F == 0 ? .exited(status >> 8 & 0xFF) : .killed(signal: status & 0x7F)
  }

  package var description: String {
    switch self {
    case .exited(let code): return "exit code \(code)"
    case .killed(let signal): return "signal \(signal)"
    }
  }
}

/// What keeps a test from going on.
package enum JobFailure: Error, CustomStringConvertible {
  case notStarted(program: String, reason: String)
  case tooLong(waitingFor: String, seconds: Double, errors: String)
  case endedEarly(waitingFor: String, ending: Ending, errors: String)
  case endedOtherwise(arguments: [String], expected: Ending, found: Ending, errors: String)

  package var description: String {
    switch self {
    case .notStarted(let program, let reason): return "\(program) was not started: \(reason)"
    case .tooLong(let what, let seconds, let errors): return "\(what): not within \(seconds) s\n\(errors)"
    case .endedEarly(let what, let ending, let errors): return "\(what): ended before with \(ending)\n\(errors)"
    case .endedOtherwise(let arguments, let expected, let found, let errors):
      return "\(arguments.joined(separator: " ")): ended with \(found), not with \(expected)\n\(errors)"
    }
  }
}

/// A command with all that it started, in a session of its own, which ends with this value at the latest.
package final class RunningJob {
  /// All that was started.
  package let session: Session
  /// How long it has been running.
  package var seconds: Double { started.duration(to: ended ?? .now) / .seconds(1) }
  // Held so that its folder stays for as long as something runs there.
  private let workplace: Workplace
  private let outputPath: String
  private let errorsPath: String
  private let started = ContinuousClock.now
  private var ended: ContinuousClock.Instant?
  private var ending: Ending?

  /// Starts the first of `words` with the others as arguments in the folder of `workplace`; its streams go to files
  /// beginning with `streams`.
  package init(_ words: [String], in workplace: Workplace, environment: [String: String], streams: String) throws {
    self.workplace = workplace
    outputPath = streams + ".out"
    errorsPath = streams + ".err"
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, outputPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errorsPath, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    // The tests' own process may have signals blocked or ignored, which a child would inherit.
    var none = sigset_t()
    var all = sigset_t()
    sigemptyset(&none)
    sigfillset(&all)
    posix_spawnattr_setsigmask(&attributes, &none)
    posix_spawnattr_setsigdefault(&attributes, &all)
    let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Glibc's module does not show.
    posix_spawnattr_setflags(
      &attributes, Int16(newSession | Int32(POSIX_SPAWN_SETSIGMASK) | Int32(POSIX_SPAWN_SETSIGDEF)))

    // env changes the folder and becomes the program.
    var arguments = (["env", "-C", workplace.path] + words).map { strdup($0) } + [nil]
    var variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var process = pid_t()
    let code = posix_spawnp(&process, "env", &actions, &attributes, &arguments, &variables)
    guard code == 0 else {
      throw JobFailure.notStarted(program: words[0], reason: String(cString: strerror(code)))
    }
    session = Session(id: process)
  }

  deinit { if !end() { print("processes of session \(session.id) could not be ended") } }

  /// What it has printed so far.
  package var output: String { Self.text(outputPath) }
  /// What it has written to standard error so far.
  package var errors: String { Self.text(errorsPath) }

  /// Sends a signal to the process that was started, mpirun or the program itself.
  package func send(_ signal: Int32) { kill(session.id, signal) }

  /// Ends all processes at once, as a power cut does.
  ///
  /// - Returns: whether none is left.
  @discardableResult
  package func end() -> Bool {
    let isEmpty = session.kill()
    collect()
    return isEmpty
  }

  /// Waits until the process that was started has ended.
  package func waitForEnd(within limit: Double = 60) throws -> Ending {
    while true {
      collect()
      if let ending { return ending }
      guard seconds < limit else {
        throw JobFailure.tooLong(waitingFor: "the end", seconds: limit, errors: errors)
      }
      usleep(2000)
    }
  }

  /// Waits until `condition` holds; it is an error if the job ends first.
  package func wait(for what: String, within limit: Double = 60, until condition: () throws -> Bool) throws {
    while try !condition() {
      collect()
      if let ending { throw JobFailure.endedEarly(waitingFor: what, ending: ending, errors: errors) }
      guard seconds < limit else { throw JobFailure.tooLong(waitingFor: what, seconds: limit, errors: errors) }
      usleep(3000)
    }
  }

  private func collect() {
    var status: Int32 = 0
    guard ending == nil, waitpid(session.id, &status, WNOHANG) == session.id else { return }
    ended = .now
    ending = Ending(status: status)
  }

  private static func text(_ path: String) -> String {
    FileManager.default.contents(atPath: path).map { String(decoding: $0, as: UTF8.self) } ?? ""
  }
}
