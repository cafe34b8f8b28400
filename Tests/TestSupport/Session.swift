import Foundation

/// The processes of one session, from /proc. mpirun gives every rank a process group of its own, but not a session: what
/// was started in one can be found there to the last process, also when its parent is gone.
package struct Session: Sendable {
  /// The process that leads it.
  package let id: pid_t

  /// One process that has not ended.
  package struct Member: Sendable {
    package let id: pid_t
    package let name: String
  }

  /// The processes that have not ended; a zombie has.
  package var members: [Member] {
    Self.allProcesses.compactMap { process in
      // `pid (name) state parent group session ...`, where a name may hold spaces and parentheses.
      guard let text = Self.text("/proc/\(process)/stat"), let open = text.firstIndex(of: "("),
        let close = text.lastIndex(of: ")")
      else { return nil }
      let fields = text[text.index(after: close)...].split(separator: " ")
      guard fields.count > 3, fields[0] != "Z", fields[0] != "X", pid_t(fields[3]) == id else { return nil }
      return Member(id: process, name: String(text[text.index(after: open)..<close]))
    }
  }

  /// The processes that have not ended after `seconds`. mpirun may be gone a moment before a rank that it killed is.
  package func members(leftAfter seconds: Double) -> [Member] {
    let deadline = ContinuousClock.now + .seconds(seconds)
    while !members.isEmpty && .now < deadline { usleep(50_000) }
    return members
  }

  /// Process of each rank, by what the launcher told it.
  package var ranks: [Int: pid_t] {
    var ranks: [Int: pid_t] = [:]
    for member in members where member.name == "lmconv" {
      guard let environment = Self.text("/proc/\(member.id)/environ") else { continue }
      let prefix = "OMPI_COMM_WORLD_RANK="
      guard let entry = environment.split(separator: "\0").first(where: { $0.hasPrefix(prefix) }),
        let rank = Int(entry.dropFirst(prefix.count))
      else { continue }
      ranks[rank] = member.id
    }
    return ranks
  }

  /// Whether process `id` has a handler for `signal`, as a program that acts on requests does.
  package static func handles(_ signal: Int32, process id: pid_t) -> Bool {
    guard let line = text("/proc/\(id)/status")?.split(separator: "\n").first(where: { $0.hasPrefix("SigCgt:") }),
      let mask = line.split(whereSeparator: \.isWhitespace).last.flatMap({ UInt64($0, radix: 16) })
    else { return false }
    return mask >> UInt64(signal - 1) & 1 == 1
  }

  /// Memory of process `id` that is resident, in kB; nil when it has ended.
  package static func residentKilobytes(of id: pid_t) -> Int? {
    guard let line = text("/proc/\(id)/status")?.split(separator: "\n").first(where: { $0.hasPrefix("VmRSS:") }) else {
      return nil
    }
    return line.split(whereSeparator: { !$0.isNumber }).first.flatMap { Int($0) }
  }

  /// Ends every process of the session at once, also those that are stopped, and waits until none is left.
  ///
  /// - Returns: whether none is left.
  @discardableResult
  package func kill() -> Bool {
    for _ in 0..<500 {
      let members = members
      if members.isEmpty { return true }
      for member in members { Foundation.kill(member.id, SIGKILL) }
      usleep(10_000)
    }
    return false
  }

  private static var allProcesses: [pid_t] {
    guard let folder = opendir("/proc") else { return [] }
    defer { closedir(folder) }
    var processes: [pid_t] = []
    while let entry = readdir(folder) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let process = pid_t(name) { processes.append(process) }
    }
    return processes
  }

  /// The text of a file of /proc; nil when the process ends meanwhile.
  private static func text(_ path: String) -> String? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    // Files of /proc have no size to ask for.
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 8192)
    while true {
      let count = read(descriptor, &buffer, buffer.count)
      guard count >= 0 else { return nil }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
