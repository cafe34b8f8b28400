import Collectives

/// How the program ends.
enum ExitStatus {
  /// Something failed that the last message names.
  static let failure: Int32 = 1
  /// Options or configuration cannot be used.
  static let usage: Int32 = 64
  /// Stopped on request; a checkpoint is complete.
  static let stopped: Int32 = 75
  /// Another rank is silent, or the launcher is gone.
  static let silentRank = World.exitCode

  /// All exit codes, those of `launch.sh` too: what `--help` tells, and the table in README.md.
  static let meanings: [(code: Int, meaning: String)] = [
    (0, "done"),
    (1, "an error, named in the last line"),
    (64, "options or configuration cannot be used; never restarted"),
    (69, "`launch.sh` only: a host of `--hosts` is not fit, named with the reason"),
    (75, "stopped on request, checkpoint complete: run the same command to go on"),
    (76, "another rank was silent for `run.timeout_seconds`, or the launcher is gone; worth another try"),
    (78, "the processor lacks AVX2 or FMA"),
    (130, "ended at once by a second signal"),
  ]
}
