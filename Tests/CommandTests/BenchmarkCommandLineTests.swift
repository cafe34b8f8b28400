import Foundation
import Testing

/// `benchmark`
struct BenchmarkCommandLineTests {
  private static let small = [
    "benchmark", "--filters", "8", "--blocks", "1", "--side", "8", "--batch", "2", "--threads", "1", "--repetitions",
    "1",
  ]

  @Test func theReportHasTrainingAndForwardAndThePeak() throws {
    let run = try Invocation.lmconv(Self.small + ["--json", "--order", "hilbert"])
    #expect(run.exitCode == 0, "\(run.errors)")
    let json = try run.json()
    #expect(json["order"] as? String == "hilbert")
    #expect(try #require(json["gemm_gflops"] as? Double) > 0)
    for kind in ["training", "forward"] {
      let part = try #require(json[kind] as? [String: Any])
      #expect((part["seconds"] as? [Double])?.count == 1)
      #expect((part["median"] as? [String: Any])?["images"] as? Int == 2)
    }
  }

  @Test func ranksTakeAStepTogether() throws {
    let run = try Invocation.lmconv(Self.small, ranks: 2)
    #expect(run.exitCode == 0, "\(run.errors)")
    #expect(run.output.contains(", 2 ranks of 1 threads, microbatches of 2 images\n"), "\(run.output)")
    #expect(run.output.contains("\ntraining step: ") && run.output.contains("\nforward pass: "))
    #expect(run.output.contains("LMConv weight gradient"))
  }

  @Test func kernelsAreATable() throws {
    let run = try Invocation.lmconv(Self.small + ["--kernels"])
    #expect(run.exitCode == 0, "\(run.errors)")
    let lines = run.output.split(separator: "\n")
    #expect(lines.count == 32)
    #expect(lines.first?.hasPrefix("1 threads, order s_curve, sgemm's best: ") == true)
    #expect(lines.contains { $0.hasPrefix("LMConv conv_out input gradient    16 -> 16") }, "\(run.output)")
  }

  @Test func badOptionsAreRefused() throws {
    let run = try Invocation.lmconv(Self.small + ["--kernels", "--serve"])
    #expect(run.exitCode == 64)
    #expect(run.errors.hasPrefix("Error: --kernels and --serve exclude each other\n"), "\(run.errors)")
    let zero = try Invocation.lmconv(["benchmark", "--batch", "0"])
    #expect(zero.errors.hasPrefix("Error: --batch must be positive, it is 0\n"), "\(zero.errors)")
  }
}
