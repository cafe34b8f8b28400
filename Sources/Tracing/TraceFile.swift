import Foundation

/// What happened on one rank, for a `TraceFile`.
public struct RankTrace: Equatable, Sendable {
  /// The spans.
  public let events: [Trace.Event]

  /// The spans of `trace`.
  public init(_ trace: Trace) { events = trace.events }

  /// From what another rank sent, its `bytes`.
  ///
  /// - Throws: when they are none.
  public init(bytes: [UInt8]) throws(TraceError) {
    guard bytes.count % Self.eventBytes == 0 else { throw .notATrace(bytes: bytes.count) }
    var events: [Trace.Event] = []
    events.reserveCapacity(bytes.count / Self.eventBytes)
    for offset in stride(from: 0, to: bytes.count, by: Self.eventBytes) {
      func number(at place: Int) -> UInt64 {
        (0..<8).reduce(0) { $0 | UInt64(bytes[offset + place + $1]) << (8 * UInt64($1)) }
      }
      let kind = number(at: 16)
      guard let phase = Phase(rawValue: Int32(truncatingIfNeeded: kind)) else {
        throw .notATrace(bytes: bytes.count)
      }
      events.append(
        Trace.Event(
          start: Int64(bitPattern: number(at: 0)), duration: Int64(bitPattern: number(at: 8)), phase: phase,
          label: Int32(truncatingIfNeeded: kind >> 32)))
    }
    self.events = events
  }

  /// To send to another rank: 24 bytes a span, little-endian start, duration, phase and label.
  public var bytes: [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(events.count * Self.eventBytes)
    for event in events {
      let kind = UInt64(UInt32(bitPattern: event.phase.rawValue)) | UInt64(UInt32(bitPattern: event.label)) << 32
      for number in [UInt64(bitPattern: event.start), UInt64(bitPattern: event.duration), kind] {
        for shift in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: number >> (8 * UInt64(shift)))) }
      }
    }
    return bytes
  }

  /// Bytes of a span in `bytes`.
  public static let eventBytes = 24
}

/// A file of spans in Chrome's trace format, for ui.perfetto.dev or chrome://tracing: a process for each rank, complete
/// events ("X") in microseconds.
public struct TraceFile {
  private let path: String
  private let handle: FileHandle

  /// Makes the file, empty; one that exists is emptied.
  ///
  /// - Throws: when it cannot be written.
  public init(path: String) throws(TraceError) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .notWritten(path: path, reason: String(cString: strerror(errno))) }
    self.path = path
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  /// Writes the traces of all ranks, by rank; `hosts` are their hosts, `labels` the names of labels.
  ///
  /// - Throws: when they cannot be written.
  public func write(_ ranks: [RankTrace], hosts: [String], labels: [String]) throws(TraceError) {
    precondition(ranks.count == hosts.count, "TraceFile: \(ranks.count) ranks on \(hosts.count) hosts")
    do {
      // Names are made once, not once an event.
      let names = try Phase.allCases.map { phase in
        try ([phase.name] + labels.map { "\(phase.name) \($0)" }).map { try Self.quoted($0) }
      }
      try append("{\"displayTimeUnit\":\"ms\",\"traceEvents\":[")
      for (rank, trace) in ranks.enumerated() {
        let name = try Self.quoted("rank \(rank) on \(hosts[rank])")
        try append(
          (rank == 0 ? "\n" : ",\n")
            + "{\"ph\":\"M\",\"name\":\"process_name\",\"pid\":\(rank),\"tid\":0,\"args\":{\"name\":\(name)}}")
        var text = ""
        for event in trace.events {
          text += ",\n{\"ph\":\"X\",\"name\":\(names[Int(event.phase.rawValue)][Int(event.label) + 1])"
          text += ",\"cat\":\"\(event.phase)\",\"pid\":\(rank),\"tid\":0"
          text += ",\"ts\":\(Self.microseconds(event.start)),\"dur\":\(Self.microseconds(event.duration))}"
        }
        try append(text)
      }
      try append("\n]}\n")
    } catch { throw .notWritten(path: path, reason: "\(error)") }
  }

  private func append(_ text: String) throws { try handle.write(contentsOf: Data(text.utf8)) }

  private static func quoted(_ text: String) throws -> String {
    String(decoding: try JSONEncoder().encode(text), as: UTF8.self)
  }

  /// With all digits, so that spans stay nested.
  private static func microseconds(_ nanoseconds: Int64) -> String {
    let fraction = "\(nanoseconds % 1000)"
    return "\(nanoseconds / 1000)." + String(repeating: "0", count: 3 - fraction.count) + fraction
  }
}

/// Why there is no trace.
public enum TraceError: Error, Equatable, CustomStringConvertible {
  /// A file cannot be written.
  case notWritten(path: String, reason: String)
  /// Another rank sent something else.
  case notATrace(bytes: Int)

  /// What happened, where.
  public var description: String {
    switch self {
    case .notWritten(let path, let reason): return "\(path) cannot be written: \(reason)"
    case .notATrace(let bytes): return "\(bytes) bytes received from another rank are no trace"
    }
  }
}
