import Foundation

/// What is wrong with a safetensors file. Every case names the file.
public enum SafetensorsError: Error, Equatable, CustomStringConvertible {
  /// The file cannot be read or written.
  case inaccessible(path: String, reason: String)
  /// The file ends before the data that its header announces.
  case truncated(path: String, expectedBytes: Int, foundBytes: Int)
  /// The header is not what the format says.
  case malformed(path: String, reason: String)
  /// The file has no tensor of that name.
  case missingTensor(path: String, name: String)
  /// A tensor is of another type than asked for.
  case wrongType(path: String, name: String, expected: String, found: String)

  /// What happened, where.
  public var description: String {
    switch self {
    case .inaccessible(let path, let reason): return "\(path): \(reason)"
    case .truncated(let path, let expected, let found):
      return "\(path): truncated, \(found) bytes where the header announces \(expected)"
    case .malformed(let path, let reason): return "\(path): not a safetensors file: \(reason)"
    case .missingTensor(let path, let name): return "\(path): no tensor '\(name)'"
    case .wrongType(let path, let name, let expected, let found):
      return "\(path): tensor '\(name)' is \(found), expected \(expected)"
    }
  }
}

/// Named tensors with string metadata in the safetensors format: 8 bytes of header length (little-endian), a JSON
/// header, then the tensors' bytes.
public struct SafetensorsFile: Sendable {
  /// Type of a tensor's elements.
  public enum ElementType: String, Sendable, CaseIterable {
    case float64 = "F64"
    case float32 = "F32"
    case int64 = "I64"
    case int32 = "I32"
    case uint8 = "U8"

    /// Bytes of one element.
    public var bytes: Int {
      switch self {
      case .float64, .int64: return 8
      case .float32, .int32: return 4
      case .uint8: return 1
      }
    }
  }

  /// One tensor: little-endian elements, row-major.
  public struct Tensor: Sendable, Equatable {
    /// Type of the elements.
    public let type: ElementType
    /// Sizes, outermost first.
    public let shape: [Int]
    /// The elements' bytes.
    public let bytes: Data
  }

  /// Path the file was read from, for messages.
  public private(set) var path: String
  /// Free text by key.
  public var metadata: [String: String]
  /// The tensors by name.
  public private(set) var tensors: [String: Tensor]

  /// An empty file to add tensors to.
  public init(metadata: [String: String] = [:]) {
    path = "(memory)"
    self.metadata = metadata
    tensors = [:]
  }

  /// Reads and checks the whole file at `path`.
  ///
  /// - Throws: when the file is unreadable, truncated or not of the format.
  public init(contentsOf path: String) throws(SafetensorsError) {
    let data: Data
    do { data = try Data(contentsOf: URL(fileURLWithPath: path)) } catch {
      throw .inaccessible(
        path: path, reason: FileManager.default.fileExists(atPath: path) ? "\(error)" : "no such file")
    }
    try self.init(data: data, path: path)
  }

  /// Parses `data`; `path` is used in messages.
  ///
  /// - Throws: when the data is truncated or not of the format.
  public init(data: Data, path: String) throws(SafetensorsError) {
    self.path = path
    tensors = [:]
    metadata = [:]
    guard data.count >= 8 else { throw .truncated(path: path, expectedBytes: 8, foundBytes: data.count) }
    var headerBytes: UInt64 = 0
    for index in 0..<8 { headerBytes |= UInt64(data[data.startIndex + index]) << UInt64(8 * index) }
    guard headerBytes <= 100_000_000 else {
      throw .malformed(path: path, reason: "a header of \(headerBytes) bytes, the limit is 100000000")
    }
    let start = 8 + Int(headerBytes)
    guard data.count >= start else { throw .truncated(path: path, expectedBytes: start, foundBytes: data.count) }
    let parsed: Any
    do {
      parsed = try JSONSerialization.jsonObject(
        with: data.subdata(in: (data.startIndex + 8)..<(data.startIndex + start)))
    } catch { throw .malformed(path: path, reason: "the header is not JSON") }
    guard let header = parsed as? [String: Any] else {
      throw .malformed(path: path, reason: "the header is not a JSON object")
    }
    var extents: [(name: String, begin: Int, end: Int)] = []
    for (name, value) in header {
      guard let fields = value as? [String: Any] else {
        throw .malformed(path: path, reason: "entry '\(name)' is not an object")
      }
      if name == "__metadata__" {
        guard let text = fields as? [String: String] else {
          throw .malformed(path: path, reason: "metadata values are not all strings")
        }
        metadata = text
        continue
      }
      guard let typeName = fields["dtype"] as? String, let type = ElementType(rawValue: typeName) else {
        throw .malformed(path: path, reason: "tensor '\(name)' has an unknown type \(fields["dtype"] ?? "none")")
      }
      guard let shape = fields["shape"] as? [Int], shape.allSatisfy({ $0 >= 0 }) else {
        throw .malformed(path: path, reason: "tensor '\(name)' has no valid shape")
      }
      guard let offsets = fields["data_offsets"] as? [Int], offsets.count == 2, offsets[0] >= 0,
        offsets[1] >= offsets[0]
      else { throw .malformed(path: path, reason: "tensor '\(name)' has no valid offsets") }
      var expected = type.bytes
      for size in shape {
        let (product, overflow) = expected.multipliedReportingOverflow(by: size)
        guard !overflow else { throw .malformed(path: path, reason: "tensor '\(name)' has an impossible shape") }
        expected = product
      }
      guard offsets[1] - offsets[0] == expected else {
        throw .malformed(
          path: path, reason: "tensor '\(name)' \(shape) \(typeName) has \(offsets[1] - offsets[0]) bytes")
      }
      guard offsets[1] <= data.count - start else {
        throw .truncated(path: path, expectedBytes: start + offsets[1], foundBytes: data.count)
      }
      let begin = data.startIndex + start + offsets[0]
      tensors[name] = Tensor(type: type, shape: shape, bytes: data.subdata(in: begin..<(begin + expected)))
      extents.append((name, offsets[0], offsets[1]))
    }
    var end = 0
    for extent in extents.sorted(by: { ($0.begin, $0.end) < ($1.begin, $1.end) }) {
      guard extent.begin == end else {
        throw .malformed(path: path, reason: "tensor '\(extent.name)' begins at \(extent.begin), expected \(end)")
      }
      end = extent.end
    }
    guard data.count - start == end else {
      throw .malformed(path: path, reason: "\(data.count - start - end) bytes after the last tensor")
    }
  }

  /// The tensor called `name`.
  ///
  /// - Throws: when there is none.
  public func tensor(_ name: String) throws(SafetensorsError) -> Tensor {
    guard let tensor = tensors[name] else { throw .missingTensor(path: path, name: name) }
    return tensor
  }

  /// The elements of the F32 tensor called `name`.
  ///
  /// - Throws: when there is none or it is of another type.
  public func floats(_ name: String) throws(SafetensorsError) -> [Float] {
    try elements(name, .float32)
  }

  /// The elements of the F64 tensor called `name`.
  ///
  /// - Throws: when there is none or it is of another type.
  public func doubles(_ name: String) throws(SafetensorsError) -> [Double] {
    try elements(name, .float64)
  }

  /// The elements of the I32 tensor called `name`.
  ///
  /// - Throws: when there is none or it is of another type.
  public func integers(_ name: String) throws(SafetensorsError) -> [Int32] {
    try elements(name, .int32)
  }

  private func elements<Element>(_ name: String, _ type: ElementType) throws(SafetensorsError) -> [Element] {
    let tensor = try tensor(name)
    guard tensor.type == type else {
      throw .wrongType(path: path, name: name, expected: type.rawValue, found: tensor.type.rawValue)
    }
    let count = tensor.shape.reduce(1, *)
    return [Element](unsafeUninitializedCapacity: count) { buffer, initialized in
      _ = tensor.bytes.copyBytes(to: buffer)
      initialized = count
    }
  }

  /// Adds an F32 tensor.
  public mutating func add(_ name: String, shape: [Int], floats: [Float]) {
    precondition(shape.reduce(1, *) == floats.count, "\(name): \(floats.count) values for shape \(shape)")
    tensors[name] = Tensor(type: .float32, shape: shape, bytes: floats.withUnsafeBytes { Data($0) })
  }

  /// The file's bytes: tensors sorted by name, header padded with spaces to 8 bytes.
  ///
  /// - Throws: when the header cannot be encoded.
  public func encoded() throws(SafetensorsError) -> Data {
    var header: [String: Any] = [:]
    if !metadata.isEmpty { header["__metadata__"] = metadata }
    var offset = 0
    let names = tensors.keys.sorted()
    for name in names {
      guard let tensor = tensors[name] else { continue }
      header[name] = [
        "dtype": tensor.type.rawValue, "shape": tensor.shape, "data_offsets": [offset, offset + tensor.bytes.count],
      ]
      offset += tensor.bytes.count
    }
    var json: Data
    do {
      json = try JSONSerialization.data(withJSONObject: header, options: [.sortedKeys, .withoutEscapingSlashes])
    } catch { throw .malformed(path: path, reason: "\(error)") }
    while json.count % 8 != 0 { json.append(0x20) }
    var data = Data(capacity: 8 + json.count + offset)
    for index in 0..<8 { data.append(UInt8(truncatingIfNeeded: json.count >> (8 * index))) }
    data.append(json)
    for name in names { if let tensor = tensors[name] { data.append(tensor.bytes) } }
    return data
  }
}
