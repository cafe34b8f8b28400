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

  init(_ failure: FileFailure) { self = .inaccessible(path: failure.path, reason: failure.reason) }

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
    var header = Data()
    try self.init(contentsOf: path, header: &header)
  }

  /// Reads the file at `path` and hands out its bytes before the first tensor in `header`, for a checksum.
  ///
  /// Tensors are read one at a time, so that a file never needs its size twice in memory.
  init(contentsOf path: String, header: inout Data) throws(SafetensorsError) {
    let source: ReadableFile
    do throws(FileFailure) { source = try ReadableFile(path) } catch { throw SafetensorsError(error) }
    try self.init(path: path, byteCount: source.byteCount, header: &header) { count throws(SafetensorsError) in
      do throws(FileFailure) { return try source.next(count) } catch { throw SafetensorsError(error) }
    }
  }

  /// Parses `data`; `path` is used in messages.
  ///
  /// - Throws: when the data is truncated or not of the format.
  public init(data: Data, path: String) throws(SafetensorsError) {
    var header = Data()
    var rest = data
    try self.init(path: path, byteCount: data.count, header: &header) { count in
      defer { rest = rest.dropFirst(count) }
      return rest.prefix(count)
    }
  }

  /// Parses a file of `byteCount` bytes, of which `next` gives as many as asked for, from the first to the last.
  private init(
    path: String, byteCount: Int, header: inout Data, next: (Int) throws(SafetensorsError) -> Data
  ) throws(SafetensorsError) {
    var position = 0
    func take(_ count: Int) throws(SafetensorsError) -> Data {
      guard count <= byteCount - position else {
        throw .truncated(path: path, expectedBytes: position + count, foundBytes: byteCount)
      }
      // A copy of its own, which begins at index 0 and does not keep the whole file in memory.
      let bytes = Data(try next(count))
      guard bytes.count == count else {
        throw .truncated(path: path, expectedBytes: byteCount, foundBytes: position + bytes.count)
      }
      position += count
      return bytes
    }

    let prefix = try take(8)
    let jsonBytes = prefix.reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard jsonBytes <= SafetensorsHeader.maximumBytes else {
      throw .malformed(
        path: path, reason: "a header of \(jsonBytes) bytes, the limit is \(SafetensorsHeader.maximumBytes)")
    }
    let json = try take(Int(jsonBytes))
    header = prefix + json
    let parsed = try SafetensorsHeader(json: json, path: path)
    self.path = path
    metadata = parsed.metadata
    tensors = [:]
    for extent in try parsed.extents(path: path, dataStart: position, fileBytes: byteCount) {
      let bytes = try take(extent.end - extent.begin)
      tensors[extent.name] = Tensor(type: extent.type, shape: extent.shape, bytes: bytes)
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
    let count = tensor.bytes.count / type.bytes
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

  /// The tensors in the order of a written file, which is that of their names.
  var sortedTensors: [(name: String, tensor: Tensor)] {
    tensors.sorted { $0.key < $1.key }.map { (name: $0.key, tensor: $0.value) }
  }

  /// The bytes before the first tensor of a written file.
  func encodedHeader() throws(SafetensorsError) -> Data {
    var header = SafetensorsHeader()
    header.metadata = metadata
    var offset = 0
    for (name, tensor) in sortedTensors {
      let end = offset + tensor.bytes.count
      header.entries[name] = .init(dtype: tensor.type.rawValue, shape: tensor.shape, offsets: [offset, end])
      offset = end
    }
    let json = try header.json(path: path)
    let prefix = (0..<8).map { UInt8(truncatingIfNeeded: json.count >> (8 * $0)) }
    return Data(prefix) + json
  }

  /// The file's bytes: tensors sorted by name, header padded with spaces to 8 bytes.
  ///
  /// - Throws: when the header cannot be encoded.
  public func encoded() throws(SafetensorsError) -> Data {
    sortedTensors.reduce(into: try encodedHeader()) { $0.append($1.tensor.bytes) }
  }

  /// Writes the file to `path`, complete or not at all: a file that is there is replaced only once the new one is on
  /// the disk.
  ///
  /// - Throws: when the disk is full, or the folder is missing or read-only.
  public func write(to path: String) throws(SafetensorsError) {
    let temporary = "\(path).tmp-\(getpid())"
    let chunks = [try encodedHeader()] + sortedTensors.map(\.tensor.bytes)
    do throws(FileFailure) {
      try DurableFile.write(chunks, to: temporary)
      try DurableFile.rename(temporary, to: path)
      try DurableFile.synchronizeFolder(parentFolder(of: path))
    } catch {
      // What is left of the attempt takes space; that it could not be removed matters less than why it was made.
      DurableFile.discard(temporary)
      throw SafetensorsError(error)
    }
  }
}
