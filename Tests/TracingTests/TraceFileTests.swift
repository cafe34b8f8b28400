import Foundation
import Testing
import Tracing

@Suite struct TraceFileTests {
  private struct File: Decodable {
    struct Event: Decodable {
      let name: String
      let ph: String
      let pid: Int
      let ts: Double?
      let dur: Double?
      let args: [String: String]?
    }
    let traceEvents: [Event]
  }

  private func trace() -> Trace {
    let trace = Trace(capacity: 10, labels: ["a \"layer\""])
    let optional: Trace? = trace
    optional.measure(.forward) { optional.measure(.inputGradient, label: 0) {} }
    return trace
  }

  @Test func aTraceArrivesAtAnotherRankAsItWas() throws {
    let sent = RankTrace(trace())
    #expect(try RankTrace(bytes: sent.bytes) == sent)
    #expect(sent.bytes.count == 2 * RankTrace.eventBytes)
  }

  @Test func bytesThatAreNoTraceAreRefused() {
    #expect(throws: TraceError.notATrace(bytes: 23)) { try RankTrace(bytes: [UInt8](repeating: 0, count: 23)) }
    #expect(throws: TraceError.notATrace(bytes: 24)) { try RankTrace(bytes: [UInt8](repeating: 99, count: 24)) }
  }

  @Test func theFileIsJSONWithAProcessForEachRank() throws {
    let path = NSTemporaryDirectory() + "lmconv-trace-\(UUID()).json"
    defer { unlink(path) }
    let one = trace()
    try TraceFile(path: path).write([RankTrace(one), RankTrace(one)], hosts: ["x", "y\\"], labels: one.labels)
    let file = try JSONDecoder().decode(File.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    #expect(file.traceEvents.map(\.ph) == ["M", "X", "X", "M", "X", "X"])
    #expect(file.traceEvents.map(\.pid) == [0, 0, 0, 1, 1, 1])
    #expect(file.traceEvents.map(\.name).prefix(3) == ["process_name", "input gradient a \"layer\"", "forward"])
    #expect(file.traceEvents[3].args == ["name": "rank 1 on y\\"])
    let starts = file.traceEvents.compactMap(\.ts)
    #expect(abs((starts.first ?? -1) * 1000 - Double(one.events[0].start)) < 0.5)
  }

  @Test func aFileThatCannotBeMadeIsNamed() {
    let error = #expect(throws: TraceError.self) { try TraceFile(path: "/no/such/folder/trace.json") }
    #expect(error?.description == "/no/such/folder/trace.json cannot be written: No such file or directory")
  }
}
