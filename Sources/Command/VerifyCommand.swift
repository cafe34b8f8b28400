import ArgumentParser
import Checkpoints
import Foundation

/// `lmconv verify`
struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check that checkpoints are as they were written: every byte, every value, the format.",
    discussion: """
      Examples:
        # every checkpoint of a run, also while it is being trained
        lmconv verify runs/digits
        lmconv verify runs/digits/checkpoints/step-00000600
        lmconv verify weights.safetensors --json

      Exit code: 0 if all are sound, 1 if something is damaged, not finite or of a newer format.
      """)

  @Argument(help: "A run's folder, a checkpoint's folder, or a .safetensors file.")
  var path: String

  @Flag(help: "Print the result as JSON.")
  var json = false

  private struct Entry: Encodable {
    let path: String
    let step: Int?
    let format: Int?
    let tensors: Int
    let bytes: Int
    let isSound: Bool
    let problems: [String]

    enum CodingKeys: String, CodingKey {
      case path, step, format, tensors, bytes, problems
      case isSound = "sound"
    }

    init(_ audit: CheckpointAudit) {
      path = audit.path
      step = audit.step
      format = audit.formatVersion
      tensors = audit.tensors
      bytes = audit.bytes
      isSound = audit.isSound
      problems = audit.problems.map(\.description)
    }
  }

  private struct Report: Encodable {
    let checkpoints: [Entry]
    let isSound: Bool

    enum CodingKeys: String, CodingKey {
      case checkpoints
      case isSound = "sound"
    }
  }

  func run() throws {
    guard FileManager.default.fileExists(atPath: path) else { throw CommandError.noModel(path: path) }
    let entries = try CheckpointAudit.audits(of: path).map(Entry.init)
    let isSound = entries.allSatisfy(\.isSound)
    if json {
      try JSONOutput.print(Report(checkpoints: entries, isSound: isSound))
    } else {
      for entry in entries {
        print(
          "\(entry.path): \(entry.isSound ? "sound" : "NOT SOUND"), \(Quantity.count(entry.tensors, "tensor")), "
            + Quantity.bytes(entry.bytes))
        for problem in entry.problems { print("  \(problem)") }
      }
    }
    guard isSound else { Foundation.exit(ExitStatus.failure) }
  }
}
