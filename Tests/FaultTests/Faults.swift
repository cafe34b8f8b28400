import Foundation
import Testing

/// What breaks a run, done to the program itself: `LMCONV_FAULTS=1`, as `./launch.sh test --faults` sets it, enables these
/// cases. Each prints a `FaultReport`. They share the machine's cores and judge times, so that one runs after the other.
@Suite(.serialized, .enabled(if: FaultSettings.areEnabled), .timeLimit(.minutes(20))) enum Faults {}

/// What the environment says about the suite.
enum FaultSettings {
  static let areEnabled = ProcessInfo.processInfo.environment["LMCONV_FAULTS"] == "1"

  /// The seed of all random moments: `LMCONV_FAULT_SEED`, to repeat a run of the suite, or a new one.
  static let seed =
    ProcessInfo.processInfo.environment["LMCONV_FAULT_SEED"].flatMap { UInt64($0) } ?? .random(in: 0..<(1 << 32))
}
