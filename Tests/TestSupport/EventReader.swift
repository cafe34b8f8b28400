import Foundation

/// What an event file holds, read from the published formats alone: TFRecord frames and the messages Event, Summary and
/// HistogramProto.
package struct RecordedEvent: Equatable, Sendable {
  package enum Value: Equatable, Sendable {
    case scalar(Float)
    case image(rows: Int, columns: Int, channels: Int, encoded: [UInt8])
    case histogram(least: Double, largest: Double, count: Double, sum: Double, squares: Double, [Bucket])
  }

  package struct Bucket: Equatable, Sendable {
    package let limit: Double
    package let count: Double

    package init(limit: Double, count: Double) {
      self.limit = limit
      self.count = count
    }
  }

  package struct Entry: Equatable, Sendable {
    package let tag: String
    package let value: Value
  }

  package var seconds = 0.0
  package var step = 0
  package var version: String?
  package var startsSession = false
  package var entries: [Entry] = []

  /// The records of the event file at `path`. A record that is cut off at the end is left out, as TensorBoard does.
  ///
  /// - Throws: when a checksum or a message is wrong.
  package static func read(_ path: String) throws -> [RecordedEvent] {
    var rest = try Data(contentsOf: URL(fileURLWithPath: path))[...]
    var events: [RecordedEvent] = []
    while rest.count >= 12 {
      let length = Int(integer(rest.prefix(8)))
      guard integer(rest.dropFirst(8).prefix(4)) == masked(rest.prefix(8)) else { throw EventFault.lengthChecksum }
      guard rest.count >= 16 + length else { break }
      let payload = rest.dropFirst(12).prefix(length)
      guard integer(rest.dropFirst(12 + length).prefix(4)) == masked(payload) else { throw EventFault.checksum }
      events.append(try RecordedEvent(payload))
      rest = rest.dropFirst(16 + length)
    }
    return events
  }

  /// What TensorBoard shows of the event files in `folder`: by tag, the value of each step that no later session made void.
  package static func series(in folder: String) throws -> [String: [Int: Value]] {
    var series: [String: [Int: Value]] = [:]
    let names = try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.contains("tfevents") }
    for event in try names.sorted().flatMap({ try read("\(folder)/\($0)") }) {
      if event.startsSession {
        series = series.mapValues { $0.filter { $0.key < event.step } }.filter { !$0.value.isEmpty }
      }
      for entry in event.entries {
        // Two values of a step would be drawn as two points.
        guard series[entry.tag]?[event.step] == nil else { throw EventFault.twice(tag: entry.tag, step: event.step) }
        series[entry.tag, default: [:]][event.step] = entry.value
      }
    }
    return series
  }

  private init(_ bytes: Data) throws {
    for field in try WireField.all(bytes) {
      switch (field.number, field.value) {
      case (1, .fixed64(let bits)): seconds = Double(bitPattern: bits)
      case (2, .varint(let value)): step = Int(Int64(bitPattern: value))
      case (3, .bytes(let text)): version = String(decoding: text, as: UTF8.self)
      case (5, .bytes(let summary)): entries = try Self.entries(summary)
      case (7, .bytes(let session)): startsSession = session == Data([0x08, 0x01])
      default: throw EventFault.unknownField(field.number)
      }
    }
  }

  private static func entries(_ summary: Data) throws -> [Entry] {
    try WireField.all(summary).map { field in
      guard field.number == 1, case .bytes(let bytes) = field.value else {
        throw EventFault.unknownField(field.number)
      }
      var (tag, value): (String?, Value?)
      for part in try WireField.all(bytes) {
        switch (part.number, part.value) {
        case (1, .bytes(let text)): tag = String(decoding: text, as: UTF8.self)
        case (2, .fixed32(let bits)): value = .scalar(Float(bitPattern: bits))
        case (4, .bytes(let image)): value = try self.image(image)
        case (5, .bytes(let histogram)): value = try self.histogram(histogram)
        default: throw EventFault.unknownField(part.number)
        }
      }
      guard let tag, let value else { throw EventFault.incomplete }
      return Entry(tag: tag, value: value)
    }
  }

  private static func image(_ bytes: Data) throws -> Value {
    var numbers: [Int: Int] = [:]
    var encoded: [UInt8] = []
    for field in try WireField.all(bytes) {
      switch (field.number, field.value) {
      case (1...3, .varint(let value)): numbers[field.number] = Int(value)
      case (4, .bytes(let data)): encoded = Array(data)
      default: throw EventFault.unknownField(field.number)
      }
    }
    guard let rows = numbers[1], let columns = numbers[2], let channels = numbers[3] else {
      throw EventFault.incomplete
    }
    return .image(rows: rows, columns: columns, channels: channels, encoded: encoded)
  }

  private static func histogram(_ bytes: Data) throws -> Value {
    var numbers: [Int: Double] = [:]
    var lists: [Int: [Double]] = [:]
    for field in try WireField.all(bytes) {
      switch (field.number, field.value) {
      case (1...5, .fixed64(let bits)): numbers[field.number] = Double(bitPattern: bits)
      case (6...7, .bytes(let packed)):
        lists[field.number] = stride(from: packed.startIndex, to: packed.endIndex, by: 8).map {
          Double(bitPattern: integer(packed[$0..<($0 + 8)]))
        }
      default: throw EventFault.unknownField(field.number)
      }
    }
    // Numbers that are zero are not written.
    guard let limits = lists[6], let counts = lists[7], limits.count == counts.count else {
      throw EventFault.incomplete
    }
    return .histogram(
      least: numbers[1] ?? 0, largest: numbers[2] ?? 0, count: numbers[3] ?? 0, sum: numbers[4] ?? 0,
      squares: numbers[5] ?? 0, zip(limits, counts).map { Bucket(limit: $0, count: $1) })
  }

  fileprivate static func integer(_ bytes: Data) -> UInt64 { bytes.reversed().reduce(0) { $0 << 8 | UInt64($1) } }

  /// The masked CRC-32C, by dividing bit by bit.
  private static func masked(_ bytes: Data) -> UInt64 {
    var remainder = UInt32.max
    for byte in bytes {
      for bit in 0..<8 {
        let carries = (remainder ^ UInt32(byte >> UInt8(bit))) & 1 == 1
        remainder = remainder >> 1 ^ (carries ? 0x82F6_3B78 : 0)
      }
    }
    remainder = ~remainder
    return UInt64((remainder >> 15 | remainder << 17) &+ 0xA282_EAD8)
  }
}

/// What is wrong with an event file.
package enum EventFault: Error, Equatable {
  case lengthChecksum
  case checksum
  case truncatedField
  case unknownWireType(UInt64)
  case unknownField(Int)
  case incomplete
  case twice(tag: String, step: Int)
}

/// A field of a protocol buffer message.
private struct WireField {
  enum Value {
    case varint(UInt64)
    case fixed64(UInt64)
    case fixed32(UInt32)
    case bytes(Data)
  }

  let number: Int
  let value: Value

  static func all(_ message: Data) throws -> [WireField] {
    var rest = message
    func take(_ count: Int) throws -> Data {
      guard rest.count >= count else { throw EventFault.truncatedField }
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
    func varint() throws -> UInt64 {
      var value: UInt64 = 0
      for shift in stride(from: 0, to: 70, by: 7) {
        guard let byte = try take(1).first else { throw EventFault.truncatedField }
        value |= UInt64(byte & 0x7F) << UInt64(shift)
        if byte < 0x80 { return value }
      }
      throw EventFault.truncatedField
    }
    var fields: [WireField] = []
    while !rest.isEmpty {
      let tag = try varint()
      let value: Value
      switch tag & 7 {
      case 0: value = .varint(try varint())
      case 1: value = .fixed64(RecordedEvent.integer(try take(8)))
      case 2: value = .bytes(try take(Int(try varint())))
      case 5: value = .fixed32(UInt32(RecordedEvent.integer(try take(4))))
      default: throw EventFault.unknownWireType(tag & 7)
      }
      fields.append(WireField(number: Int(tag >> 3), value: value))
    }
    return fields
  }
}
