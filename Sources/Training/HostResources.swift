import Collectives
import Foundation

/// What a host offers to a rank on it.
public struct HostResources: Codable, Sendable, Equatable {
  /// Name of the host.
  public let host: String
  /// Cores of the host.
  public let cores: Int
  /// Cores that the launcher lets this rank run on.
  public let usableCores: Int
  /// Memory that could be allocated without swapping, in bytes; nil where the system does not say.
  public let availableMemory: Int?

  enum CodingKeys: String, CodingKey {
    case host, cores
    case usableCores = "usable_cores"
    case availableMemory = "available_memory_bytes"
  }

  /// What the host of this rank offers at this moment.
  public init(_ communicator: any Communicator) {
    host = communicator.hosts[communicator.rank]
    cores = ProcessInfo.processInfo.processorCount
    usableCores = HostThreads.cores
    availableMemory = FileManager.default.contents(atPath: "/proc/meminfo").flatMap {
      Self.availableMemory(meminfo: String(decoding: $0, as: UTF8.self))
    }
  }

  /// The bytes that `MemAvailable` of /proc/meminfo says.
  package static func availableMemory(meminfo: String) -> Int? {
    for line in meminfo.split(separator: "\n") where line.hasPrefix("MemAvailable:") {
      let fields = line.split(separator: " ")
      guard fields.count == 3, fields[2] == "kB" else { return nil }
      return Int(fields[1]).map { $0 * 1024 }
    }
    return nil
  }
}

extension Communicator {
  /// The `value` of every rank, by rank.
  ///
  /// - Throws: when a rank does not come in time.
  public func gather<Value: Codable>(_ value: Value) throws -> [Value] {
    // What a rank found may be no number.
    let encoder = JSONEncoder()
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let decoder = JSONDecoder()
    decoder.nonConformingFloatDecodingStrategy = .convertFromString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    return try allGather([UInt8](encoder.encode(value))).map { try decoder.decode(Value.self, from: Data($0)) }
  }
}
