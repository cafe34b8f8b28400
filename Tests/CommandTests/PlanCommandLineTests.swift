import Foundation
import Testing

/// `benchmark --plan`
struct PlanCommandLineTests {
  private static let small = [
    "benchmark", "--plan", "--filters", "8", "--blocks", "1", "--side", "8", "--batch", "2", "--threads", "1",
    "--repetitions", "1",
  ]

  @Test func theTableHasALineForEachNumberOfHosts() throws {
    let run = try Invocation.lmconv(Self.small + ["--hosts", "20", "--bandwidth", "1"])
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains("network: 1.0 Gbit/s each way, 50 us\n"), "\(run.output)")
    let lines = run.output.split(separator: "\n")
    #expect(lines[3].hasPrefix("hosts  ranks"))
    let hosts = lines.dropFirst(4).map { $0.split(separator: " ")[0] }
    #expect(hosts == ["1", "2", "3", "4", "5", "6", "7", "8", "16", "20"])
    #expect(lines[4].contains("100.0 %      0.0 ms"), "\(lines[4])")
  }

  @Test func partsMeasuredEarlierGiveTheSamePlan() throws {
    let folder = try TemporaryFolder()
    let options = Self.small + ["--hosts", "4", "--json"]
    let first = try Invocation.lmconv(options)
    #expect(first.exitCode == 0, "\(first.errors)")
    let path = try folder.write(first.output, to: "plan.json")
    let second = try Invocation.lmconv(options + ["--parts", path])
    #expect(second.output == first.output, "\(second.errors)")

    let steps = try #require(try first.json()["steps"] as? [[String: Any]])
    #expect(steps.count == 4)
    let efficiency = try #require(steps[0]["efficiency"] as? Double)
    #expect(abs(efficiency - 1) < 1e-9)
    #expect(steps[3]["ranks"] as? Int == 4)
    #expect(steps[0]["microbatches_for_90_percent"] as? Int == 1)
  }

  @Test func ranksOfThisJobAreRanksOfAHost() throws {
    let run = try Invocation.lmconv(Self.small + ["--hosts", "2", "--json"], ranks: 2)
    #expect(run.exitCode == 0, "\(run.errors)")
    let steps = try #require(try run.json()["steps"] as? [[String: Any]])
    #expect(steps.map { $0["ranks"] as? Int } == [2, 4])
    #expect(steps[0]["bytes_per_host"] as? Double == 0)
  }

  @Test func badOptionsAreRefused() throws {
    for (options, message) in [
      (["--hosts", "0"], "--hosts must be 1 to 4096, it is 0"),
      (["--bandwidth", "0"], "--bandwidth must be positive and --latency not negative"),
      (["--serve"], "--plan excludes --kernels and --serve"),
    ] {
      let run = try Invocation.lmconv(Self.small + options)
      #expect(run.exitCode == 64)
      #expect(run.errors.hasPrefix("Error: \(message)\n"), "\(run.errors)")
    }
    let alone = try Invocation.lmconv(["benchmark", "--parts", "plan.json"])
    #expect(alone.errors.hasPrefix("Error: --config and --parts need --plan\n"), "\(alone.errors)")
    let absent = try Invocation.lmconv(Self.small + ["--parts", "no-such-plan.json"])
    #expect(absent.exitCode == 1)
    #expect(
      absent.errors.contains("no-such-plan.json is not what benchmark --plan --json prints: "), "\(absent.errors)")
  }
}
