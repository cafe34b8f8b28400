import Foundation

/// A run on the digits that come with the program, hardly trained, whose completions take seconds.
enum SlowRun {
  /// A folder with the run `run`, made once and only to be read.
  static func folder() throws -> TemporaryFolder { try master.get() }

  private struct NotTrained: Error {
    let errors: String
  }

  private static let master: Result<TemporaryFolder, any Error> = Result {
    let folder = try TemporaryFolder()
    let settings = ["training.steps=1", "training.microbatches=1", "evaluation.images=1", "run.threads=1"]
    let training = try Invocation.lmconv(
      ["train", "--run-dir", "run"] + settings.flatMap { ["--set", $0] }, in: folder.path)
    guard training.exitCode == 0 else { throw NotTrained(errors: training.errors) }
    atexit {
      guard case .success(let folder) = SlowRun.master else { return }
      do { try FileManager.default.removeItem(atPath: folder.path) } catch { print("left behind: \(error)") }
    }
    return folder
  }
}
