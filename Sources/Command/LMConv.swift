import ArgumentParser

/// The program: `lmconv SUBCOMMAND`.
@main
struct LMConv: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "lmconv",
    abstract: "Train and use autoregressive image models with arbitrary generation orders.",
    discussion: """
      Locally masked convolution (Jain, Abbeel, Pathak, UAI 2020): one set of weights models an image under any order of
      its pixels. Start with `lmconv train --dry-run`, or see the README.

      Exit codes: 0 done, 1 an error that the last line names, 64 bad options or configuration, 75 stopped on request
      after a checkpoint (run the same command to go on), 76 another rank did not answer, 130 stopped at once by a
      second signal.
      """,
    version: "lmconv 0.1.0",
    subcommands: [TrainCommand.self, EvaluateCommand.self, SampleCommand.self, CompleteCommand.self])

  static func main() {
    do {
      var command = try parseAsRoot()
      try command.run()
    } catch {
      // All ranks parse the same options: one of them tells.
      guard Job.announcedRank == 0 else { exit(withError: exitCode(for: error)) }
      exit(withError: error)
    }
  }
}
