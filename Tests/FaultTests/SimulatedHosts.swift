import Foundation
import TestSupport

/// Three simulated hosts of `cluster/simulate.sh` with one rank each, on which a case runs a job and breaks something.
///
/// Hosts outlive the job, so that what it leaves behind can be seen.
struct SimulatedHosts {
  /// Why the hosts cannot be had.
  struct Missing: Error, CustomStringConvertible {
    let description: String
  }

  /// How mpirun ended.
  struct End {
    let code: Int32
    /// Since the job of all hosts was started.
    let seconds: Double
  }

  let workplace: Workplace
  private let hosts: RunningJob
  private var path: String { workplace.path + "/hosts" }

  /// Starts `count` hosts, whose links have `rate` if that is given, and on the first of them mpirun with a rank of `lmconv`
  /// with `arguments` on each. `first` is a shell command that is run there before.
  ///
  /// - Throws: when this machine cannot simulate hosts.
  init(
    _ count: Int, rate: String? = nil, in workplace: Workplace, first: String = "true", _ arguments: [String]
  ) throws {
    guard getuid() == 0 else {
      throw Missing(description: "network namespaces need root; these cases do not run without")
    }
    for (tool, package) in [("ip", "iproute2"), ("tc", "iproute2"), ("sshd", "openssh-server")] {
      let isThere = ["/usr/sbin/", "/sbin/", "/usr/bin/", "/bin/"].contains {
        FileManager.default.isExecutableFile(atPath: $0 + tool)
      }
      guard isThere else { throw Missing(description: "\(tool) is missing: apt-get install \(package)") }
    }
    self.workplace = workplace
    let folder = workplace.path + "/hosts"
    if FileManager.default.fileExists(atPath: folder) { try FileManager.default.removeItem(atPath: folder) }
    try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // Each rank writes to a file of its own: what is said on a host that is cut off would be lost.
    let rank = #"exec "$PROGRAM" "$@" 2>"$FOLDER/errors-$OMPI_COMM_WORLD_RANK""#
    let script = """
      echo "$SIMULATION" >"$FOLDER/simulation.new" && mv "$FOLDER/simulation.new" "$FOLDER/simulation"
      \(first)
      mpirun --hostfile "$HOSTFILE" -n \(count) --bind-to none -x PROGRAM -x FOLDER sh -c '\(rank)' sh "$@" \\
        2>"$FOLDER/errors-mpirun"
      echo $? >"$FOLDER/code.new"
      mv "$FOLDER/code.new" "$FOLDER/code"
      while [ ! -e "$FOLDER/leave" ]; do sleep 0.05; done
      """
    try script.write(toFile: folder + "/script", atomically: true, encoding: .utf8)
    let limit = rate.map { " --rate \($0)" } ?? ""
    let words = arguments.map { "'" + $0 + "'" }.joined(separator: " ")
    hosts = try workplace.start(
      shell: """
        export PROGRAM='\(Workplace.program)' FOLDER='\(folder)'
        exec '\(Self.simulator)' \(count)\(limit) sh '\(folder)/script' \(words)
        """)
    try hosts.wait(for: "simulated hosts", within: 30) { [path] in
      FileManager.default.fileExists(atPath: path + "/simulation")
    }
  }

  private static let simulator =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .deletingLastPathComponent().deletingLastPathComponent().path + "/cluster/simulate.sh"

  /// Seconds since the hosts were started.
  var seconds: Double { hosts.seconds }

  /// What `name` (a rank's number, or mpirun) has written to standard error.
  func errors(_ name: String) -> String {
    FileManager.default.contents(atPath: "\(path)/errors-\(name)").map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// All that was said.
  var allErrors: String {
    let own = ["mpirun", "0", "1", "2"].map { "\($0): \(errors($0))" }
    return (own + ["simulate.sh: \(hosts.errors)"]).joined(separator: "\n")
  }

  /// Waits until `condition` holds.
  func wait(for what: String, within limit: Double = 60, until condition: () throws -> Bool) throws {
    try hosts.wait(for: what, within: limit) {
      if try condition() { return true }
      guard ended == nil else {
        throw JobFailure.endedEarly(waitingFor: what, ending: .exited(ended ?? 0), errors: allErrors)
      }
      return false
    }
  }

  private var ended: Int32? {
    FileManager.default.contents(atPath: path + "/code").flatMap {
      Int32(String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }
  }

  /// Waits for mpirun's end.
  func waitForEnd(within limit: Double) throws -> End {
    do { try hosts.wait(for: "the end of mpirun", within: limit) { ended != nil } } catch {
      throw Missing(description: "\(error)\n\(allErrors)\nleft: \(try processes())")
    }
    return End(code: ended ?? -1, seconds: seconds)
  }

  /// Runs an iproute2 command with the words of `arguments`, in which {} stands for the beginning of the namespaces' names.
  @discardableResult
  func network(_ arguments: String) throws -> String {
    let data = try Data(contentsOf: URL(fileURLWithPath: path + "/simulation"))
    let name = String(decoding: data, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments =
      ["PATH=/usr/sbin:/sbin:/usr/bin:/bin"]
      + arguments.replacing("{}", with: name).split(separator: " ").map(String.init)
    let output = Pipe()
    process.standardOutput = output
    try process.run()
    let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    guard process.terminationStatus == 0 else {
      throw Missing(description: "\(arguments) ended with code \(process.terminationStatus)")
    }
    return text
  }

  /// Names of the processes of the job that are left, on all hosts; the hosts' own do not count.
  func processes() throws -> [String] {
    var names: [String] = []
    for host in 1...3 {
      let list: String
      // Fewer hosts, or hosts that are gone already.
      do { list = try network("ip netns pids {}-\(host)") } catch is Missing { continue }
      for process in list.split(separator: "\n") {
        guard let name = FileManager.default.contents(atPath: "/proc/\(process)/comm") else { continue }
        let text = String(decoding: name, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines)
        // The script that keeps the hosts, and what it waits with.
        if host == 1 && ["sh", "sleep"].contains(text) { continue }
        if text == "sshd" {
          let line = FileManager.default.contents(atPath: "/proc/\(process)/cmdline") ?? Data()
          // A listener, not a session of the job.
          if !String(decoding: line, as: UTF8.self).contains("@") { continue }
        }
        names.append("host\(host): \(text)")
      }
    }
    return names
  }

  /// Seconds, since the hosts were started, at which no process of the job is left.
  func waitUntilEmpty(within limit: Double) throws -> Double {
    while true {
      let left = try processes()
      if left.isEmpty { return seconds }
      guard seconds < limit else {
        throw Missing(description: "left after \(Int(limit)) s: \(left.joined(separator: ", "))\n\(allErrors)")
      }
      usleep(100_000)
    }
  }

  /// Removes the hosts.
  func leave() throws {
    try Data().write(to: URL(fileURLWithPath: path + "/leave"))
    _ = try hosts.waitForEnd(within: seconds + 30)
  }
}
