import Foundation

/// The process that started this rank: mpirun on its own host, elsewhere the daemon that mpirun has there.
///
/// When a host is cut off, mpirun and the daemons wait for each other for a quarter of an hour and more. Ranks that give up
/// because of it therefore also end the launcher of their host, if it has not ended by itself in `patienceSeconds`.
struct Launcher: Sendable {
  static let patienceSeconds = 8

  private static let names: Set<String> = ["mpirun", "mpiexec", "orterun", "orted", "prterun", "prted"]

  private let process: pid_t
  /// When it started; tells it from another process that gets its number.
  private let started: String
  private let name: String

  /// The parent of this process, nil where that has no meaning.
  init?() {
    process = getppid()
    guard process > 1, let status = FileManager.default.contents(atPath: "/proc/\(process)/stat") else { return nil }
    // `pid (name) state ...`, where the name may hold anything.
    let text = String(decoding: status, as: UTF8.self)
    guard let open = text.firstIndex(of: "("), let close = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: close)...].split(separator: " ")
    guard fields.count > 19 else { return nil }
    name = String(text[text.index(after: open)..<close])
    started = String(fields[19])
  }

  /// Whether it has ended, so that nobody will ever end this process.
  var isGone: Bool { getppid() != process }

  /// Starts a shell that ends the launcher and what is left of its children, unless it ends by itself in time. To be called
  /// right before this process ends.
  func endIfItStays() {
    guard Self.names.contains(name) else { return }
    let script = """
      is_there() { [ "$(cut -d ' ' -f 22 "/proc/$1/stat")" = "$2" ]; }
      for _ in $(seq \(2 * Self.patienceSeconds)); do
        sleep 0.5
        is_there "$1" "$2" || exit 0
      done
      kill -KILL $(cat "/proc/$1/task/"*/children) "$1"
      """
    var actions = posix_spawn_file_actions_t()
    var attributes = posix_spawnattr_t()
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    for stream in 0..<3 { posix_spawn_file_actions_addopen(&actions, Int32(stream), "/dev/null", O_RDWR, 0) }
    // What it inherited would keep connections open that others must see closed.
    for descriptor in 3..<Int32(1024) { posix_spawn_file_actions_addclose(&actions, descriptor) }
    let newSession: Int32 = 0x80  // POSIX_SPAWN_SETSID, which Glibc's module does not show.
    posix_spawnattr_setflags(&attributes, Int16(newSession))
    let words = ["sh", "-c", script, "sh", "\(process)", started]
    var arguments = words.map { strdup($0) } + [nil]
    var variables = [strdup("PATH=/usr/bin:/bin"), nil]
    defer { for pointer in arguments + variables { free(pointer) } }
    var shell = pid_t()
    posix_spawn(&shell, "/bin/sh", &actions, &attributes, &arguments, &variables)
  }
}
