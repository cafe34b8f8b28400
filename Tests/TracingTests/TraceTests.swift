import Testing
import Tracing

@Suite struct TraceTests {
  private struct Stop: Error {}

  private func busy() {
    let end = ContinuousClock.now + .microseconds(200)
    while ContinuousClock.now < end {}
  }

  @Test func spansEndInOrderInsideTheSpanAroundThem() {
    let trace: Trace? = Trace(capacity: 10, labels: ["a"])
    trace.measure(.step) {
      trace.measure(.forward) { trace.measure(.convolution, label: 0) { busy() } }
      trace.measure(.update) { busy() }
    }
    let events = trace?.events ?? []
    #expect(events.map(\.phase) == [.convolution, .forward, .update, .step])
    #expect(events.map(\.label) == [0, -1, -1, -1])
    guard events.count == 4 else { return }
    #expect(events[3].start <= events[1].start && events[1].start <= events[0].start)
    #expect(events[0].end <= events[1].end && events[1].end <= events[2].start && events[2].end <= events[3].end)
    #expect(events[0].duration >= 200_000)
  }

  @Test func returnsWhatTheBodyReturnsWithAndWithoutATrace() {
    let traces: [Trace?] = [nil, Trace(capacity: 1)]
    for trace in traces { #expect(trace.measure(.data) { 7 } == 7) }
  }

  @Test func aBodyThatThrowsIsNotRecorded() {
    let trace = Trace(capacity: 4)
    let optional: Trace? = trace
    #expect(throws: Stop.self) { try optional.measure(.data) { () throws(Stop) in throw Stop() } }
    #expect(trace.events.isEmpty)
  }

  @Test func aFullTraceForgetsTheOldestSpansButSumsAll() {
    let trace = Trace(capacity: 3)
    let optional: Trace? = trace
    for phase in [Phase.data, .data, .forward, .loss, .backward] { optional.measure(phase) { busy() } }
    #expect(trace.events.map(\.phase) == [.forward, .loss, .backward])
    #expect(trace.seconds(.data) >= 0.0004)
    trace.reset()
    #expect(trace.events.isEmpty && trace.seconds(.data) == 0)
  }

  @Test func sumsAreKeptByLabel() {
    let trace = Trace(capacity: 1, labels: ["a", "b"])
    let optional: Trace? = trace
    optional.measure(.convolution, label: 1) { busy() }
    #expect(trace.seconds(.convolution, label: 1) >= 0.0002)
    #expect(trace.seconds(.convolution, label: 0) == 0 && trace.seconds(.convolution) == 0)
    #expect(trace.allSeconds(.convolution) == trace.seconds(.convolution, label: 1))
  }
}
