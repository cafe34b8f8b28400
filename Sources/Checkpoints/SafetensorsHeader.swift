import Foundation

/// The JSON header of a safetensors file: where each tensor lies, and the metadata.
struct SafetensorsHeader: Codable {
  /// The largest header that the format allows.
  static let maximumBytes = 100_000_000

  /// One tensor as the header describes it.
  struct Entry: Codable {
    var dtype: String
    var shape: [Int]
    /// First byte and the byte after the last, counted from the end of the header.
    var offsets: [Int]

    enum CodingKeys: String, CodingKey {
      case dtype, shape
      case offsets = "data_offsets"
    }
  }

  /// A tensor's description after all checks; tensors follow each other without gaps.
  struct Extent {
    let name: String
    let type: SafetensorsFile.ElementType
    let shape: [Int]
    let begin: Int
    let end: Int
  }

  var metadata: [String: String] = [:]
  var entries: [String: Entry] = [:]

  private struct Key: CodingKey {
    static let metadata = Key(stringValue: "__metadata__")
    let stringValue: String
    var intValue: Int? { nil }

    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  init() {}

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if key.stringValue == Key.metadata.stringValue {
        metadata = try container.decode([String: String].self, forKey: key)
      } else {
        entries[key.stringValue] = try container.decode(Entry.self, forKey: key)
      }
    }
  }

  func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: Key.self)
    if !metadata.isEmpty { try container.encode(metadata, forKey: .metadata) }
    for (name, entry) in entries { try container.encode(entry, forKey: Key(stringValue: name)) }
  }

  /// Parses the header's JSON. Numbers must be integers: a fraction or a boolean is refused, not rounded.
  init(json: Data, path: String) throws(SafetensorsError) {
    do {
      self = try JSONDecoder().decode(SafetensorsHeader.self, from: json)
    } catch let error as DecodingError {
      throw .malformed(path: path, reason: Self.reason(for: error))
    } catch {
      throw .malformed(path: path, reason: "the header is not JSON")
    }
  }

  /// The header's JSON, padded with spaces to a multiple of 8 bytes.
  func json(path: String) throws(SafetensorsError) -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    var json: Data
    do { json = try encoder.encode(self) } catch { throw .malformed(path: path, reason: "\(error)") }
    while json.count % 8 != 0 { json.append(0x20) }
    return json
  }

  /// The tensors in the order of their bytes, checked against a file of `fileBytes` whose data begin at `dataStart`.
  func extents(path: String, dataStart: Int, fileBytes: Int) throws(SafetensorsError) -> [Extent] {
    var extents: [Extent] = []
    for (name, entry) in entries { extents.append(try Self.extent(name, entry, path: path)) }
    extents.sort { ($0.begin, $0.end, $0.name) < ($1.begin, $1.end, $1.name) }
    var end = 0
    for extent in extents {
      guard extent.begin == end else {
        throw .malformed(path: path, reason: "tensor '\(extent.name)' begins at \(extent.begin), expected \(end)")
      }
      end = extent.end
    }
    let dataBytes = fileBytes - dataStart
    guard end <= dataBytes else {
      let (expected, overflow) = end.addingReportingOverflow(dataStart)
      throw .truncated(path: path, expectedBytes: overflow ? Int.max : expected, foundBytes: fileBytes)
    }
    guard end == dataBytes else {
      throw .malformed(path: path, reason: "\(dataBytes - end) bytes after the last tensor")
    }
    return extents
  }

  private static func extent(_ name: String, _ entry: Entry, path: String) throws(SafetensorsError) -> Extent {
    guard let type = SafetensorsFile.ElementType(rawValue: entry.dtype) else {
      throw .malformed(path: path, reason: "tensor '\(name)' has an unknown type \(entry.dtype)")
    }
    guard entry.shape.allSatisfy({ $0 >= 0 }) else {
      throw .malformed(path: path, reason: "tensor '\(name)' has no valid shape")
    }
    let offsets = entry.offsets
    guard offsets.count == 2, offsets[0] >= 0, offsets[1] >= offsets[0] else {
      throw .malformed(path: path, reason: "tensor '\(name)' has no valid data_offsets")
    }
    var expected = type.bytes
    for size in entry.shape {
      let (product, overflow) = expected.multipliedReportingOverflow(by: size)
      guard !overflow else { throw .malformed(path: path, reason: "tensor '\(name)' has an impossible shape") }
      expected = product
    }
    guard offsets[1] - offsets[0] == expected else {
      throw .malformed(
        path: path, reason: "tensor '\(name)' \(entry.shape) \(entry.dtype) has \(offsets[1] - offsets[0]) bytes")
    }
    return Extent(name: name, type: type, shape: entry.shape, begin: offsets[0], end: offsets[1])
  }

  /// Says which entry is wrong; the paths are `[]`, `[tensor]` or `[tensor, field, index]`.
  private static func reason(for error: DecodingError) -> String {
    var place: [any CodingKey]
    switch error {
    case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
      place = context.codingPath
    case .keyNotFound(let key, let context): place = context.codingPath + [key]
    @unknown default: place = []
    }
    guard let name = place.first?.stringValue else {
      // The decoder reports a number that does not fit an integer like a syntax error, without its place.
      if case .dataCorrupted = error { return "the header is not JSON, or has a number that is not an integer" }
      return "the header is not a JSON object"
    }
    if name == Key.metadata.stringValue { return "metadata values are not all strings" }
    guard place.count > 1 else { return "entry '\(name)' is not an object" }
    return "tensor '\(name)' has no valid \(place[1].stringValue)"
  }
}
