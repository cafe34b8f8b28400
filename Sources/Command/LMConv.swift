import ArgumentParser
import CBuildInformation
import CProcessorCheck

/// The program: `lmconv SUBCOMMAND`.
@main
package struct LMConv: ParsableCommand {
  package static let configuration = CommandConfiguration(
    commandName: "lmconv",
    abstract: "Train and use autoregressive image models with arbitrary generation orders.",
    discussion: """
      Locally masked convolution (Jain, Abbeel, Pathak, UAI 2020): one set of weights models an image under any order of \
      its pixels. Start with `lmconv doctor` and `lmconv train --dry-run`, or see the README.

      Exit codes:
      \(ExitStatus.meanings.map { "  \($0.code): \($0.meaning)" }.joined(separator: "\n"))
      """,
    version: version,
    subcommands: [
      TrainCommand.self, DataCommand.self, EvaluateCommand.self, SampleCommand.self, CompleteCommand.self,
      ServeCommand.self, CompressCommand.self, DecompressCommand.self, ScoreCommand.self, ImportCommand.self,
      ExportCommand.self, InfoCommand.self, VerifyCommand.self, DiffCommand.self, MetricsCommand.self,
      ReportCommand.self, CompareCommand.self, OrdersCommand.self, MasksCommand.self, ReceptiveFieldCommand.self,
      HeatmapCommand.self, DoctorCommand.self, BenchmarkCommand.self,
    ])

  package init() {}

  /// The version, and what is known of the build: commit, compiler, instruction set.
  private static var version: String {
    let build = String(cString: lmconv_build_information())
    #if arch(x86_64)
      let instructions = lmconv_needs_avx2() == 1 ? "AVX2" : "any x86-64"
    #else
      let instructions = "portable"
    #endif
    return "lmconv 0.1.0 (\(build.isEmpty ? "not built by launch.sh" : build), \(instructions))"
  }

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // All ranks are given the same: one of them tells.
      let isShown = Job.announcedRank == 0
      // ArgumentParser knows how to show help, the version and bad options; the rest is told as jobs tell it.
      guard exitCode(for: error) != .failure else { Job.end(error, isShown: isShown) }
      guard isShown else { exit(withError: exitCode(for: error)) }
      exit(withError: error)
    }
  }
}
