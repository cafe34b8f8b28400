import Foundation
import Testing

/// `train --profile`
struct ProfileCommandLineTests {
  private struct Trace: Decodable {
    struct Event: Decodable {
      let name: String
      let cat: String?
      let ph: String
      let pid: Int
      let ts: Double?
      let dur: Double?

      /// Nanoseconds, in which the file is exact.
      var start: Int { Int(((ts ?? 0) * 1000).rounded()) }
      var end: Int { start + Int(((dur ?? 0) * 1000).rounded()) }
    }
    let traceEvents: [Event]
  }

  private func profile(
    ranks: Int?, _ arguments: [String] = []
  ) throws -> (run: Invocation, trace: Trace) {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try Invocation.lmconv(
      SmallRun.train + ["--profile", "trace.json"] + arguments, in: folder.path, ranks: ranks)
    let file = try Data(contentsOf: URL(fileURLWithPath: folder.path + "/trace.json"))
    return (run, try JSONDecoder().decode(Trace.self, from: file))
  }

  @Test(arguments: [nil, 2]) func everyRanksPhasesAreThereAndNested(ranks: Int?) throws {
    let (run, trace) = try profile(ranks: ranks)
    #expect(run.exitCode == 0, "\(run.errors)")
    let count = ranks ?? 1
    for rank in 0..<count {
      let events = trace.traceEvents.filter { $0.pid == rank && $0.ph == "X" }
      func spans(_ name: String) -> Int { events.count { $0.name == name } }
      let microbatches = 4 * 2 / count
      for phase in ["step", "prepare", "reduce", "update", "gather"] { #expect(spans(phase) == 4, "\(phase)") }
      for phase in ["data", "forward", "loss", "backward"] { #expect(spans(phase) == microbatches, "\(phase)") }
      #expect(spans("evaluation") == 1 && spans("checkpoint") == 2)
      for layer in ["u_init", "up_layers.0.u_stream.0.conv_input", "down_layers.2.u_stream.1.nin_skip.lin_a"] {
        #expect(spans("convolution \(layer)") == microbatches, "\(layer)")
        #expect(spans("weight gradient \(layer)") == microbatches, "\(layer)")
        #expect(spans("input gradient \(layer)") == (layer == "u_init" ? 0 : microbatches), "\(layer)")
      }
      expectNested(events)
    }
    #expect(Set(trace.traceEvents.map(\.pid)) == Set(0..<count))
    #expect(trace.traceEvents.count { $0.ph == "M" } == count)
  }

  /// Each span lies inside the one around it, or after it; products inside forward and backward, these inside steps.
  private func expectNested(_ events: [Trace.Event]) {
    let around = [
      "convolution": "forward", "inputGradient": "backward", "weightGradient": "backward", "forward": "step",
      "backward": "step", "data": "step", "loss": "step", "reduce": "step", "update": "step", "gather": "step",
      "prepare": "step",
    ]
    var open: [Trace.Event] = []
    // Of spans that begin together the longest is around the others.
    for event in events.sorted(by: { ($0.start, -$0.end) < ($1.start, -$1.end) }) {
      while let last = open.last, last.end <= event.start { open.removeLast() }
      if let last = open.last { #expect(event.end <= last.end, "\(event) in \(last)") }
      #expect(open.last?.cat == event.cat.flatMap { around[$0] }, "\(event) in \(open)")
      open.append(event)
    }
  }

  @Test func theSpeedIsToldInOneLine() throws {
    let (run, _) = try profile(ranks: nil)
    let line = try #require(run.errors.split(separator: "\n").first { $0.hasPrefix("profile of ") })
    let number = #"[0-9]+\.[0-9]"#
    let expected =
      "^profile of 4 steps: \(number) images/s, \(number) useful GFLOP/s, MFU \(number) % of sgemm's \(number) GFLOP/s; "
      + "data \(number) %, prepare \(number) %, forward \(number) %, loss \(number) %, backward \(number) %, "
      + "reduce \(number) %, update \(number) %, gather \(number) % of a step; "
      + "trace.json is the trace, for https://ui.perfetto.dev$"
    #expect(line.range(of: expected, options: .regularExpression) != nil, "\(line)")
  }

  @Test func aTraceThatCannotBeWrittenStopsTheRunBeforeItBegins() throws {
    let folder = try TemporaryFolder()
    try SmallRun.prepare(folder)
    let run = try Invocation.lmconv(SmallRun.train + ["--profile", "none/trace.json"], in: folder.path)
    #expect(run.exitCode == 1)
    #expect(run.errors == "lmconv: error: none/trace.json cannot be written: No such file or directory\n")
  }
}
