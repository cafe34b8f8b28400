import EventFiles
import Foundation
import TestSupport
import Testing

struct EventFileTests {
  private func events(_ file: EventFile) throws -> [RecordedEvent] { try RecordedEvent.read(file.path) }

  @Test func aFileBeginsWithItsVersionAndTheSession() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path + "/made/here", firstStep: 41)
    let events = try events(file)
    #expect(events.count == 2)
    #expect(events[0].version == "brain.Event:2" && events[0].step == 0)
    #expect(events[1].startsSession && events[1].step == 41)
    #expect(abs(events[0].seconds - Date.now.timeIntervalSince1970) < 60)
  }

  @Test func everyKindOfValueComesBack() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path, firstStep: 1)
    let histogram = ValueHistogram([-1, 0.5, 0.5, 300] as [Float])
    try file.append(
      step: 5_000_000_000,
      [
        ("loss", .scalar(1.5)), ("wrong", .scalar(.nan)),
        ("picture", .image(rows: 3, columns: 200, channels: 3, encoded: [0, 255, 128])),
        ("weights", .histogram(histogram)), ("größer/als", .scalar(-0.0)),
      ])
    let event = try #require(try events(file).last)
    #expect(event.step == 5_000_000_000)
    #expect(event.entries.map(\.tag) == ["loss", "wrong", "picture", "weights", "größer/als"])
    #expect(event.entries[0].value == .scalar(1.5))
    guard case .scalar(let wrong) = event.entries[1].value else { return #expect(Bool(false)) }
    #expect(wrong.isNaN)
    #expect(event.entries[2].value == .image(rows: 3, columns: 200, channels: 3, encoded: [0, 255, 128]))
    #expect(
      event.entries[3].value
        == .histogram(
          least: -1, largest: 300, count: 4, sum: 300, squares: 90001.5,
          histogram.buckets.map { .init(limit: $0.limit, count: Double($0.count)) }))
  }

  /// The bytes of `Event(step=7, summary=Summary(value=[Summary.Value(tag="a", simple_value=1.5)]))` after the time.
  @Test func aScalarHasTheBytesOfTheWireFormat() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path, firstStep: 1)
    let before = try Data(contentsOf: URL(fileURLWithPath: file.path)).count
    try file.append(step: 7, [("a", .scalar(1.5))])
    let record = try Data(contentsOf: URL(fileURLWithPath: file.path)).dropFirst(before)
    let message = Array(record.dropFirst(12 + 9).dropLast(4))
    #expect(message == [0x10, 7, 0x2A, 0x0A, 0x0A, 0x08, 0x0A, 0x01, 0x61, 0x15, 0, 0, 0xC0, 0x3F])
  }

  @Test func aLaterFileComesLaterAndMakesItsStepsVoid() throws {
    let folder = try TemporaryFolder()
    let first = try EventFile(folder: folder.path, firstStep: 1)
    for step in 1...3 { try first.append(step: step, [("loss", .scalar(Double(step)))]) }
    let second = try EventFile(folder: folder.path, firstStep: 3)
    try second.append(step: 3, [("loss", .scalar(30))])
    #expect(
      try EventFile.names(in: folder.path) == [first.path, second.path].map { ($0 as NSString).lastPathComponent })
    #expect(try RecordedEvent.series(in: folder.path) == ["loss": [1: .scalar(1), 2: .scalar(2), 3: .scalar(30)]])
    try second.goBack(to: 2)
    try second.append(step: 2, [("loss", .scalar(20))])
    #expect(try RecordedEvent.series(in: folder.path) == ["loss": [1: .scalar(1), 2: .scalar(20)]])
  }

  /// Another host's clock may be ahead.
  @Test func aNameFollowsThatOfAFileFromTheFuture() throws {
    let folder = try TemporaryFolder()
    let name = "events.out.tfevents.9000000000.host.1"
    try Data().write(to: URL(fileURLWithPath: "\(folder.path)/\(name)"))
    let file = try EventFile(folder: folder.path, firstStep: 1)
    #expect(file.path.hasPrefix(folder.path + "/events.out.tfevents.9000000001."))
    #expect(try EventFile.names(in: folder.path).first == name)
    #expect(try EventFile.names(in: folder.path + "/none").isEmpty)
  }

  @Test func damageIsNoticedByTheReaderOfTheseTests() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path, firstStep: 1)
    let url = URL(fileURLWithPath: file.path)
    let whole = try Data(contentsOf: url)
    for place in [0, 9, 20, whole.count - 1] {
      var damaged = whole
      damaged[place] ^= 1
      try damaged.write(to: url)
      #expect(throws: EventFault.self, "byte \(place)") { try RecordedEvent.read(file.path) }
    }
    try whole.dropLast(3).write(to: url)
    #expect(try RecordedEvent.read(file.path).count == 1)
  }

  @Test func aFileThatCannotBeWrittenIsNamed() throws {
    let folder = try TemporaryFolder()
    let file = try EventFile(folder: folder.path + "/events", firstStep: 1)
    try FileManager.default.removeItem(atPath: folder.path + "/events")
    let removed = #expect(throws: EventFileError.self) { try file.append(step: 1, []) }
    #expect(removed?.description == "\(file.path) cannot be written: it was removed while the run goes on")

    try Data().write(to: URL(fileURLWithPath: folder.path + "/file"))
    let blocked = #expect(throws: EventFileError.self) { try EventFile(folder: folder.path + "/file", firstStep: 1) }
    #expect(blocked?.description.hasPrefix("\(folder.path)/file cannot be written: ") == true)
  }
}
