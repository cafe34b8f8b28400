import Foundation
import Testing

/// What the launcher reads of a run: its fingerprint, the step it was at, and why it failed.
@Suite struct LauncherFilesTests {
  @Test func theFingerprintNamesTheFolderTheConfigurationAndTheData() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    func fingerprint(_ more: [String] = []) throws -> [String: String] {
      let printed = try Invocation.lmconv(SmallRun.train + ["--fingerprint"] + more, in: folder.path)
      #expect(printed.exitCode == 0, "\(printed.errors)")
      let pairs = printed.output.split(separator: "\n").map { $0.split(separator: " ", maxSplits: 1).map(String.init) }
      return Dictionary(uniqueKeysWithValues: pairs.map { ($0[0], $0[1]) })
    }
    let first = try fingerprint()
    #expect(first.keys.sorted() == ["configuration", "data", "run_folder"])
    #expect(try #require(first["run_folder"]).hasSuffix("/run"))
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run"))
    #expect(try fingerprint() == first)

    let configured = try fingerprint(["--set", "seed=7"])
    #expect(configured["configuration"] != first["configuration"] && configured["data"] == first["data"])
    try folder.write(
      IDX.images(count: SmallRun.testImages, side: SmallRun.side).dropLast() + [1], to: "data/t10k-images-idx3-ubyte")
    let otherData = try fingerprint()
    #expect(otherData["configuration"] == first["configuration"] && otherData["data"] != first["data"])

    let refused = try Invocation.lmconv(SmallRun.train + ["--fingerprint", "--set", "nonsense=1"], in: folder.path)
    #expect(refused.exitCode == 64 && refused.output.isEmpty)
  }

  private struct Failure: Decodable {
    let step: Int?
    let reason: String
    let message: String
    let rank: Int
    let host: String
  }

  @Test func aDivergenceIsRecordedWithItsStepAndClearedByTheNextRun() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    // A rate that throws the parameters far away; two ranks find it out together.
    let poison = ["--set", "training.learning_rate=1e30", "--set", "training.clip_norm=0"]
    let failed = try Invocation.lmconv(SmallRun.train + poison, in: folder.path, ranks: 2)
    #expect(failed.exitCode == 1)
    let bytes = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/run/failure.json"))
    let failure = try JSONDecoder().decode(Failure.self, from: bytes)
    let step = try #require(failure.step)
    #expect((2...4).contains(step) && failure.reason == "TrainingError.unfitStep", "\(failure)")
    #expect(failure.message.hasPrefix("step \(step): the loss of microbatch 0 is ") && !failure.host.isEmpty)
    #expect(failed.errors.contains(failure.message))
    // What a launcher's sed reads: one key a line.
    #expect(String(decoding: bytes, as: UTF8.self).contains("\n  \"step\" : \(step),\n"))
    #expect(try step == steps(folder) + 1)
    #expect(try folder.names(in: "run").filter { $0.hasSuffix(".new") }.isEmpty)

    let repaired = try Invocation.lmconv(SmallRun.train + ["--allow-changes"], in: folder.path)
    #expect(repaired.exitCode == 0, "\(repaired.errors)")
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/failure.json"))
    #expect(try steps(folder) == 4)
  }

  @Test func whatIsNoUseToRestartIsNotRecorded() throws {
    let folder = try SmallRun.trained()
    let refused = try Invocation.lmconv(SmallRun.train + ["--resume", "never"], in: folder.path)
    #expect(refused.exitCode == 64)
    #expect(!FileManager.default.fileExists(atPath: folder.path + "/run/failure.json"))
  }

  private func steps(_ folder: TemporaryFolder) throws -> Int {
    let text = try String(contentsOfFile: folder.path + "/run/step.txt", encoding: .utf8)
    #expect(text.utf8.count == 21 && text.hasSuffix("\n"))
    return try #require(Int(text.trimmingCharacters(in: .whitespacesAndNewlines)))
  }

  /// All exit codes are in one table, which the program tells too.
  @Test func theReadmeListsTheExitCodesThatHelpTells() throws {
    let help = try Invocation.lmconv(["--help"]).output
    let readme = try String(
      contentsOf: URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../../README.md"), encoding: .utf8)
    let table = readme.split(separator: "\n").compactMap { $0.wholeMatch(of: /\| (\d+) \| (.+) \|/)?.output }
    #expect(table.map { $0.1 } == ["0", "1", "64", "69", "75", "76", "78", "130"])
    for row in table { #expect(help.contains("\(row.1): \(row.2)"), "\(row.0)\n\(help)") }
  }
}
