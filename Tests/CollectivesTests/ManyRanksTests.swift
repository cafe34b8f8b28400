import Foundation
import Testing

@Suite(.serialized) struct ManyRanksTests {
  @Test(arguments: [(1, 3000), (3, 50_000), (8, 20_001), (5, 1)])
  func reductionGivesTheSameBitsOnAnyNumberOfRanks(slots: Int, count: Int) throws {
    let arguments = ["reduce", "\(slots)", "\(count)", "2"]
    let alone = try Probe.run(ranks: nil, arguments)
    #expect(alone.exitCode == 0, "\(alone.errors)")
    #expect(alone.output.contains("ranks agree true"))
    for ranks in 1...4 {
      let together = try Probe.run(ranks: ranks, arguments)
      #expect(together.exitCode == 0, "\(together.errors)")
      #expect(together.output == alone.output, "\(ranks) ranks")
    }
  }

  @Test(arguments: [nil, 1, 2, 3, 4])
  func everyOperationDeliversOnEveryRank(ranks: Int?) throws {
    let probe = try Probe.run(ranks: ranks, ["operations"])
    let size = ranks ?? 1
    #expect(probe.output == "size \(size), wrong 0, highest \(size - 11)\n", "\(probe.errors)")
    #expect(probe.exitCode == 0)
  }

  @Test(
    .disabled(
      if: ProcessInfo.processInfo.environment["LMCONV_SANITIZER"] != nil, "a sanitizer keeps what is freed for a while")
  )
  func memoryDoesNotGrowOverSteps() throws {
    let probe = try Probe.run(ranks: 2, ["reduce", "4", "20000", "205"])
    #expect(probe.exitCode == 0)
    let growths = probe.errors.split(separator: "\n").filter { $0.hasPrefix("memory grew by") }
      .compactMap { $0.split(separator: " ").dropLast().last.flatMap { Int($0) } }
    #expect(growths.count == 2)
    // 200 steps that each lost one vector of 80 kB would show 16,000 kB.
    for growth in growths { #expect(growth < 1000, "\(probe.errors)") }
  }

  /// Four seconds, of which a fifth of a millisecond's sleep between two looks would take 400 ms of processor time.
  @Test(.disabled(if: ProcessInfo.processInfo.environment["LMCONV_SANITIZER"] != nil, "a sanitizer takes time"))
  func aRankThatWaitsLeavesTheProcessorToOthers() throws {
    let probe = try Probe.run(ranks: 2, ["idle"])
    #expect(probe.exitCode == 0, "\(probe.errors)")
    let times = probe.output.split(separator: "\n").filter { $0.hasPrefix("rank 0 took") }
      .compactMap { Int($0.split(separator: " ")[3]) }
    #expect(times.count == 1 && times[0] < 200, "\(probe.output)")
  }

  @Test func aRankThatExitsEndsTheJob() throws {
    let probe = try Probe.run(ranks: 3, ["exit"])
    #expect(probe.exitCode != 0)
    #expect(probe.seconds < 20)
  }
}
