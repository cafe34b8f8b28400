import Foundation

/// A folder of its own for a test, where `lmconv` runs on data that the test wrote; removed with this value.
package final class Workplace {
  /// The folder.
  package let path: String
  private var jobs = 0

  package init() throws {
    path = FileManager.default.temporaryDirectory.appendingPathComponent("lmconv-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: path + "/mpi", withIntermediateDirectories: true)
  }

  deinit {
    do { try FileManager.default.removeItem(atPath: path) } catch { print("left behind \(path): \(error)") }
  }

  /// `lmconv`, built beside the tests.
  package static var program: String {
    URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent().path + "/lmconv"
  }

  /// Starts `lmconv` with `arguments` in this folder: on `ranks` ranks under mpirun, or alone where that is nil.
  package func start(ranks: Int?, _ arguments: [String]) throws -> RunningJob {
    // mpirun ends everything after five minutes, should the tests themselves be killed.
    let launcher =
      ranks.map { ["mpirun", "--oversubscribe", "--bind-to", "none", "--timeout", "300", "-n", "\($0)"] } ?? []
    return try start(launcher + [Self.program] + arguments)
  }

  /// Starts a command line in this folder, where the word `lmconv` is the program under test.
  package func start(shell command: String) throws -> RunningJob { try start(["/bin/sh", "-c", command]) }

  private func start(_ words: [String]) throws -> RunningJob {
    jobs += 1
    var environment = ProcessInfo.processInfo.environment
    let folder = URL(fileURLWithPath: Self.program).deletingLastPathComponent().path
    environment["PATH"] = folder + ":" + (environment["PATH"] ?? "/usr/bin:/bin")
    environment["OPENBLAS_NUM_THREADS"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1"
    environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1"
    environment["LMCONV_TERMINAL"] = "0"
    // What a killed job leaves behind goes with this folder.
    environment["OMPI_MCA_orte_tmpdir_base"] = path + "/mpi"
    environment["OMPI_MCA_btl_vader_backing_directory"] = path + "/mpi"
    return try RunningJob(words, in: self, environment: environment, streams: "\(path)/job-\(jobs)")
  }

  /// Runs `lmconv` to its end; what it printed.
  ///
  /// - Throws: when it ends in another way than `ending`.
  @discardableResult
  package func run(
    ranks: Int?, _ arguments: [String], ending: Ending = .exited(0), within limit: Double = 60
  ) throws -> (output: String, errors: String) {
    let job = try start(ranks: ranks, arguments)
    let found = try job.waitForEnd(within: limit)
    guard found == ending else {
      throw JobFailure.endedOtherwise(arguments: arguments, expected: ending, found: found, errors: job.errors)
    }
    return (job.output, job.errors)
  }

  /// The bytes of file `name`.
  package func contents(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")) }
}
