import Foundation
import Testing

/// `train --dry-run`
struct DryRunCommandLineTests {
  private struct Finding {
    let verdict: String
    let message: String
  }

  private func dryRun(
    _ folder: TemporaryFolder, _ arguments: [String] = [], ranks: Int? = nil
  ) throws -> (run: Invocation, json: [String: Any], findings: [String: Finding]) {
    let run = try Invocation.lmconv(
      SmallRun.train + ["--dry-run", "--json"] + arguments, in: folder.path, ranks: ranks)
    let json = try run.json()
    let list = try #require(json["findings"] as? [[String: String]])
    let findings = list.map {
      ($0["subject"] ?? "", Finding(verdict: $0["verdict"] ?? "", message: $0["message"] ?? ""))
    }
    return (run, json, Dictionary(findings) { first, _ in first })
  }

  @Test func aRunThatWouldGoWellIsToldWithoutWritingAnything() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let (run, json, findings) = try dryRun(folder)
    #expect(run.exitCode == 0, "\(run.output)\(run.errors)")
    #expect(json["can_run"] as? Bool == true)
    #expect(json["steps"] as? Int == 4)
    #expect(json["parameters"] as? Int == 7888)
    #expect(try #require(json["seconds_per_step"] as? Double) > 0)
    #expect(findings.values.allSatisfy { $0.verdict == "ok" }, "\(run.output)")
    #expect(
      findings["data"]?.message == "mnist: 24 training and 6 test images of 8x8, 1 channel of 1 bit")
    #expect(findings["steps"]?.message == "4 of 2 x 2 images, 6 an epoch")
    #expect(findings["orders"]?.message == "0,5 to train with, 0,3 to test with; 0 to 7 are variants of s_curve")
    #expect(findings["checkpoint"]?.message == "none to go on from: a new run")
    #expect(try folder.names() == ["data", "small.yaml"])
  }

  @Test func aRunFolderMayHaveAnyName() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    // Foundation's own way to a path's parent dies of a single character.
    for name in ["q", "q/", "./new/q", folder.path + "/q"] {
      let run = try Invocation.lmconv(
        ["train", "--config", "small.yaml", "--dry-run", "--run-dir", name], in: folder.path)
      #expect(run.exitCode == 0, "\(name): \(run.errors)")
    }
  }

  @Test func forPeopleItEndsWithTheVerdict() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try Invocation.lmconv(SmallRun.train + ["--dry-run"], in: folder.path)
    #expect(run.output.hasSuffix("\nnothing stops this run\n"), "\(run.output)")
    #expect(run.output.contains("time        ok  about "))
    #expect(run.exitCode == 0)
  }

  @Test func theStepsLeftOfAnInterruptedRunAreTold() throws {
    let folder = try SmallRun.trained()
    try FileManager.default.removeItem(atPath: folder.path + "/run/checkpoints/step-00000004")
    let before = try folder.names(in: "run")
    let (run, json, findings) = try dryRun(folder)
    #expect(run.exitCode == 0)
    #expect(json["first_step"] as? Int == 2)
    #expect(findings["checkpoint"]?.message == "would go on from run/checkpoints/step-00000002, step 2 of 4")
    #expect(try #require(findings["time"]?.message).contains(": 2 steps in "))
    #expect(try folder.names(in: "run") == before)
  }

  @Test func aCompleteRunIsTold() throws {
    let (run, _, findings) = try dryRun(try SmallRun.trained())
    #expect(run.exitCode == 0)
    #expect(findings["checkpoint"]?.verdict == "warning")
    #expect(
      findings["checkpoint"]?.message == "the run is complete: run/checkpoints/step-00000004, step 4 of 4")
  }

  @Test func aChangedConfigurationWouldBeRefused() throws {
    let folder = try SmallRun.trained()
    let (run, json, findings) = try dryRun(folder, ["--set", "training.steps=9"])
    #expect(run.exitCode == 1)
    #expect(json["can_run"] as? Bool == false)
    #expect(findings["checkpoint"]?.verdict == "failure")
    #expect(try #require(findings["checkpoint"]?.message).contains("\n  training.steps: 4 -> 9\n"))
    #expect(try dryRun(folder, ["--set", "training.steps=9", "--allow-changes"]).run.exitCode == 0)
  }

  @Test func aNetworkThatDoesNotFitIsRefusedBeforeItIsAllocated() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let (run, json, findings) = try dryRun(folder, ["--set", "model.filters=16384"])
    #expect(run.exitCode == 1)
    #expect(json["can_run"] as? Bool == false)
    #expect(json["timing"] == nil)
    #expect(findings["memory"]?.verdict == "failure")
    #expect(
      try #require(findings["memory"]?.message).contains(" are free. Use fewer ranks on a host, or lower "),
      "\(run.output)")
  }

  @Test func aRunFolderThatCannotBeMadeIsToldWithTheRest() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    try folder.write("", to: "run")
    let (run, _, findings) = try dryRun(folder)
    #expect(run.exitCode == 1)
    #expect(findings["run folder"]?.verdict == "failure")
    #expect(findings["run folder"]?.message == "run folder run cannot be made: run is a file")
    #expect(findings["time"]?.verdict == "ok")
  }

  @Test func ranksWithoutWorkAndThreadsWithoutCoresAreTold() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    // A few more threads than this machine has cores.
    let threads = ProcessInfo.processInfo.processorCount / 3 + 1
    let (run, json, _) = try dryRun(folder, ["--set", "run.threads=\(threads)"], ranks: 3)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(json["ranks"] as? Int == 3)
    let warnings = try #require(json["findings"] as? [[String: String]]).filter { $0["verdict"] == "warning" }
      .compactMap { $0["message"] }
    #expect(
      warnings.contains("3 ranks share 2 microbatches: 1 would be idle; start fewer, or raise training.microbatches"))
    #expect(warnings.contains { $0.contains(": 3 ranks use \(3 * threads) threads on ") }, "\(warnings)")
  }
}
