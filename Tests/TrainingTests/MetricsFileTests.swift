import Foundation
import Testing
import Training

struct MetricsFileTests {
  private struct Record: Encodable {
    var step: Int
    var nats: Double
  }

  @Test func recordsAreLinesOfJSONWithSortedKeys() throws {
    let folder = try TemporaryFolder()
    let file = try MetricsFile(path: folder.path + "/metrics.jsonl")
    try file.append(Record(step: 1, nats: 0.1))
    try file.append(Record(step: 2, nats: 1e-300))
    #expect(try folder.text("metrics.jsonl") == "{\"nats\":0.1,\"step\":1}\n{\"nats\":1e-300,\"step\":2}\n")
  }

  @Test func everyRecordIsThereBeforeTheFileIsClosed() throws {
    let folder = try TemporaryFolder()
    let file = try MetricsFile(path: folder.path + "/metrics.jsonl")
    for step in 1...3 {
      try file.append(Record(step: step, nats: 0))
      #expect(try folder.text("metrics.jsonl").split(separator: "\n").count == step)
    }
  }

  @Test func aResumedRunAppends() throws {
    let folder = try TemporaryFolder()
    try MetricsFile(path: folder.path + "/metrics.jsonl").append(Record(step: 1, nats: 2))
    try MetricsFile(path: folder.path + "/metrics.jsonl").append(Record(step: 2, nats: 3))
    #expect(try folder.text("metrics.jsonl") == "{\"nats\":2,\"step\":1}\n{\"nats\":3,\"step\":2}\n")
  }

  @Test func aHalfWrittenLineDoesNotSpoilTheNext() throws {
    let folder = try TemporaryFolder()
    let path = try folder.write("{\"nats\":2,\"step\":1}\n{\"nats\":3,\"st", to: "metrics.jsonl")
    try MetricsFile(path: path).append(Record(step: 2, nats: 3))
    #expect(
      try folder.text("metrics.jsonl")
        == "{\"nats\":2,\"step\":1}\n{\"nats\":3,\"st\n{\"nats\":3,\"step\":2}\n")
  }

  @Test func whatIsNoNumberInJSONIsText() throws {
    let folder = try TemporaryFolder()
    let file = try MetricsFile(path: folder.path + "/metrics.jsonl")
    for value in [Double.nan, .infinity, -.infinity] { try file.append(Record(step: 0, nats: value)) }
    #expect(
      try folder.text("metrics.jsonl")
        == "{\"nats\":\"nan\",\"step\":0}\n{\"nats\":\"inf\",\"step\":0}\n{\"nats\":\"-inf\",\"step\":0}\n")
  }

  @Test func aFileThatCannotBeOpenedIsNamed() throws {
    let folder = try TemporaryFolder()
    let error = #expect(throws: RunFolderError.self) { try MetricsFile(path: folder.path + "/missing/metrics.jsonl") }
    #expect(error?.description == "\(folder.path)/missing/metrics.jsonl cannot be written: No such file or directory")
  }
}
