import FlyingSocks
import Foundation
import Serving
import Testing

struct LineStreamTests {
  @Test func linesComeInTheirOrderUntilTheEnd() async throws {
    let stream = LineStream()
    let body = LineStream.Body(stream)
    let writer = Thread {
      do {
        for number in 0..<1000 { try stream.append(["n": number]) }
      } catch { Issue.record(error) }
      stream.end()
    }
    writer.start()
    var bytes: [UInt8] = []
    let iterator = body.makeAsyncIterator()
    while let part = await iterator.nextBuffer(suggested: 16) { bytes += part }
    #expect(String(decoding: bytes, as: UTF8.self) == (0..<1000).map { "{\"n\":\($0)}\n" }.joined())
    #expect(await iterator.nextBuffer(suggested: 16) == nil)
  }

  @Test func aStreamThatNobodyReadsIsAbandoned() throws {
    let stream = LineStream()
    var body: LineStream.Body? = LineStream.Body(stream)
    var iterator = body?.makeAsyncIterator()
    try stream.append(["n": 1])
    body = nil
    #expect(!stream.isAbandoned)
    iterator = nil
    #expect(stream.isAbandoned)
    #expect(iterator == nil && body == nil)
  }

  @Test func aReaderThatIsCancelledAbandonsTheStream() async throws {
    let stream = LineStream()
    let body = LineStream.Body(stream)
    let reader = Task { await body.makeAsyncIterator().nextBuffer(suggested: 16) }
    try await Task.sleep(for: .milliseconds(20))
    reader.cancel()
    #expect(await reader.value == nil)
    #expect(stream.isAbandoned)
  }

  @Test func numbersThatAreNotFiniteAreNotWritten() {
    let stream = LineStream()
    #expect(throws: EncodingError.self) { try stream.append(["n": Double.nan]) }
  }
}
