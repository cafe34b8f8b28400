import Foundation

/// Runs `CollectivesProbe`, built beside the tests, alone or under mpirun.
struct Probe {
  let exitCode: Int32
  let output: String
  let errors: String
  let seconds: Double

  /// Runs the probe with `arguments`; `ranks` nil means without mpirun.
  static func run(ranks: Int?, _ arguments: [String]) throws -> Probe {
    let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path
    let probe = ["\(folder)/CollectivesProbe"] + arguments
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    // mpirun ends everything after a minute, should a test hang.
    process.arguments =
      ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "--timeout", "60", "-n", "\($0)"] + probe }
      ?? probe
    var environment = ProcessInfo.processInfo.environment
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    process.environment = environment
    let (output, errors) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = errors
    process.standardInput = FileHandle.nullDevice
    let start = Date()
    try process.run()
    // The probe prints little, so that one pipe does not fill up while the other is read.
    let outputText = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    let errorText = String(decoding: errors.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
    process.waitUntilExit()
    return Probe(
      exitCode: process.terminationStatus, output: outputText, errors: errorText,
      seconds: Date().timeIntervalSince(start))
  }
}
