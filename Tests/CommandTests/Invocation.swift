import Foundation

/// One run of the program, found beside the tests.
struct Invocation {
  let exitCode: Int32
  let output: String
  let errors: String

  /// Runs `lmconv` with `arguments` in the folder `folder`, alone or as `ranks` ranks under mpirun.
  static func lmconv(_ arguments: [String], in folder: String? = nil, ranks: Int? = nil) throws -> Invocation {
    let binaries = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let program = ["\(binaries)/lmconv"] + arguments
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // mpirun ends everything after a minute, should a test hang.
    process.arguments =
      ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "--timeout", "60", "-n", "\($0)"] + program }
      ?? program
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    // Error texts are compared: no help that depends on the terminal's width.
    environment["COLUMNS"] = "120"
    process.environment = environment
    if let folder { process.currentDirectoryURL = URL(fileURLWithPath: folder) }
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    try process.run()
    // The program's messages fit into a pipe, so that it does not fill up while the other one is read.
    let outputText = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Invocation(exitCode: process.terminationStatus, output: outputText, errors: errorText)
  }

  /// The output as a JSON object.
  func json() throws -> [String: Any] {
    let value = try JSONSerialization.jsonObject(with: Data(output.utf8))
    guard let object = value as? [String: Any] else { throw NotAnObject(output: output) }
    return object
  }

  private struct NotAnObject: Error {
    let output: String
  }
}
