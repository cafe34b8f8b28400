import Foundation

/// `lmconv serve` on a port of its own, ended with this value.
final class Server {
  private let process = Process()
  // Kept as long as the server works in it.
  private let folder: TemporaryFolder
  private let errors: String
  let port: Int

  private struct NotStarted: Error {
    let errors: String
  }

  /// Serves `model` in `folder` with `arguments`; `openFiles` limits what the process may have open.
  init(_ model: String = "run", in folder: TemporaryFolder, _ arguments: [String] = [], openFiles: Int? = nil) throws {
    let binaries = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    self.folder = folder
    errors = "\(folder.path)/errors-\(UUID().uuidString).txt"
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    let limit = openFiles.map { "ulimit -n \($0); " } ?? ""
    process.arguments =
      ["-c", "\(limit)exec \"$0\" \"$@\" 2>'\(errors)'", "\(binaries)/lmconv", "serve", model, "--port", "0"]
      + arguments
    process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
    let output = Pipe()
    process.standardOutput = output
    process.standardInput = FileHandle.nullDevice
    try process.run()
    let url = URL(
      string: String(decoding: output.fileHandleForReading.availableData, as: UTF8.self).trimmingCharacters(in: ["\n"]))
    guard let port = url?.port else {
      process.waitUntilExit()
      throw NotStarted(errors: try String(contentsOfFile: errors, encoding: .utf8))
    }
    self.port = port
  }

  deinit {
    guard process.isRunning else { return }
    process.terminate()
    process.waitUntilExit()
  }

  /// Asks for `path` and returns the answer.
  func answer(
    _ method: String, _ path: String, headers: [String: String] = [:], body: [UInt8] = []
  ) throws -> HTTPAnswer {
    let connection = try HTTPConnection(port: port)
    try connection.send(method, path, headers: headers, body: body)
    return try HTTPAnswer(from: connection)
  }

  /// Posts `fields` as JSON to `path`.
  func answer(_ path: String, _ fields: [String: Any]) throws -> HTTPAnswer {
    try answer(
      "POST", path, headers: ["Content-Type": "application/json"],
      body: [UInt8](JSONSerialization.data(withJSONObject: fields)))
  }

  /// Begins the completion `fields` and reads until the first line of the stream has come.
  func begin(_ fields: [String: Any]) throws -> HTTPConnection {
    let connection = try HTTPConnection(port: port)
    try connection.send(
      "POST", "/api/completions", headers: ["Content-Type": "application/json"],
      body: [UInt8](JSONSerialization.data(withJSONObject: fields)))
    let status = try HTTPAnswer.head(from: connection).status
    guard status == 200 else { throw NotStarted(errors: "status \(status)") }
    while let line = try connection.line(), !line.hasPrefix("{\"start\"") {}
    return connection
  }

  /// Sends `signal` and waits for the end: the exit code, and what was said on standard error.
  func stop(_ signal: Int32 = SIGTERM) throws -> (exitCode: Int32, errors: String) {
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    return (process.terminationStatus, try log())
  }

  /// What has been said on standard error.
  func log() throws -> String { try String(contentsOfFile: errors, encoding: .utf8) }

  /// Whether `condition` becomes true in `seconds`.
  static func eventually(_ seconds: Double = 20, _ condition: () throws -> Bool) rethrows -> Bool {
    let end = Date.now + seconds
    while Date.now < end {
      if try condition() { return true }
      usleep(20_000)
    }
    return try condition()
  }
}
