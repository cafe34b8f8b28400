import CZlib

/// What is wrong with a `.npz` file. Every case names the file; offsets count its bytes from 0.
public enum NPZError: Error, Equatable, CustomStringConvertible {
  /// The file is not laid out as ZIP files are.
  case malformed(path: String, offset: Int, expected: String)
  /// A member is packed or encrypted in a way that NumPy does not use.
  case unsupported(path: String, member: String, what: String)
  /// A member does not unpack to what the archive says of it.
  case damaged(path: String, member: String, reason: String)
  /// A member unpacks to more than is read into memory.
  case tooLarge(path: String, member: String, bytes: Int, limitBytes: Int)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .malformed(let path, let offset, let expected):
      return "\(path): byte \(offset): not a readable .npz file, expected \(expected); write it with numpy.savez"
    case .unsupported(let path, let member, let what):
      return "\(path): '\(member)' is \(what); write it with numpy.savez or numpy.savez_compressed"
    case .damaged(let path, let member, let reason): return "\(path): '\(member)' is damaged: \(reason)"
    case .tooLarge(let path, let member, let bytes, let limit):
      return "\(path): '\(member)' has \(bytes) bytes, the limit is \(limit)"
    }
  }
}

/// NumPy's `.npz` file: a ZIP archive (PKWARE's APPNOTE 6.3) of `.npy` files, stored or deflated.
public struct NPZArchive: Sendable {
  /// One file of the archive.
  public struct Member: Sendable, Equatable {
    /// Its name, such as `images.npy`.
    public let name: String
    let method: Int
    let checksum: UInt32
    let packedBytes: Int
    let bytes: Int
    let headerOffset: Int
  }

  /// The largest member that is unpacked.
  package static let limitBytes = 1 << 30
  private static let endBytes = 22
  private static let directoryBytes = 46
  private static let localBytes = 30

  /// The members, in the order of the archive's directory.
  public let members: [Member]
  private let contents: [UInt8]
  private let path: String

  /// Reads the directory of the archive `bytes`; `path` names it in messages.
  ///
  /// - Throws: when the bytes are no ZIP archive, or one of a kind that NumPy does not write.
  public init(npz bytes: [UInt8], path: String) throws(NPZError) {
    contents = bytes
    self.path = path
    // The end record has a comment behind it that it gives the length of.
    let earliest = max(0, bytes.count - Self.endBytes - 0xFFFF)
    guard bytes.count >= Self.endBytes,
      let end = (earliest...(bytes.count - Self.endBytes)).reversed().first(where: { start in
        Self.integer(bytes, start, 4) == 0x0605_4b50
          && Self.integer(bytes, start + 20, 2) == bytes.count - start - Self.endBytes
      })
    else { throw .malformed(path: path, offset: bytes.count, expected: "the end of a ZIP archive") }
    let count = Self.integer(bytes, end + 10, 2)
    var offset = Self.integer(bytes, end + 16, 4)
    var members: [Member] = []
    for _ in 0..<count {
      guard offset <= end - Self.directoryBytes, Self.integer(bytes, offset, 4) == 0x0201_4b50 else {
        throw .malformed(path: path, offset: min(offset, bytes.count), expected: "a directory of \(count) members")
      }
      let nameLength = Self.integer(bytes, offset + 28, 2)
      let next =
        offset + Self.directoryBytes + nameLength + Self.integer(bytes, offset + 30, 2)
        + Self.integer(bytes, offset + 32, 2)
      guard next <= end else { throw .malformed(path: path, offset: offset, expected: "a whole directory entry") }
      let nameStart = offset + Self.directoryBytes
      let name = String(decoding: bytes[nameStart..<(nameStart + nameLength)], as: UTF8.self)
      guard Self.integer(bytes, offset + 8, 2) & 1 == 0 else {
        throw .unsupported(path: path, member: name, what: "encrypted")
      }
      members.append(
        Member(
          name: name, method: Self.integer(bytes, offset + 10, 2),
          checksum: UInt32(Self.integer(bytes, offset + 16, 4)), packedBytes: Self.integer(bytes, offset + 20, 4),
          bytes: Self.integer(bytes, offset + 24, 4), headerOffset: Self.integer(bytes, offset + 42, 4)))
      offset = next
    }
    self.members = members
  }

  /// The bytes of `member`, unpacked and checked.
  ///
  /// - Throws: when it is packed in an unknown way, damaged, or too large.
  public func bytes(of member: Member) throws(NPZError) -> [UInt8] {
    guard member.bytes <= Self.limitBytes else {
      throw .tooLarge(path: path, member: member.name, bytes: member.bytes, limitBytes: Self.limitBytes)
    }
    let header = member.headerOffset
    guard header <= contents.count - Self.localBytes, Self.integer(contents, header, 4) == 0x0403_4b50 else {
      throw .malformed(path: path, offset: min(header, contents.count), expected: "the member '\(member.name)'")
    }
    // Names and extra fields may differ between directory and member.
    let start =
      header + Self.localBytes + Self.integer(contents, header + 26, 2) + Self.integer(contents, header + 28, 2)
    guard start <= contents.count && member.packedBytes <= contents.count - start else {
      throw .malformed(
        path: path, offset: header, expected: "\(member.packedBytes) bytes of the member '\(member.name)'")
    }
    let packed = contents[start..<(start + member.packedBytes)]
    let bytes: [UInt8]
    switch member.method {
    case 0: bytes = Array(packed)
    case 8: bytes = try inflate(Array(packed), of: member)
    default: throw .unsupported(path: path, member: member.name, what: "packed by method \(member.method)")
    }
    guard bytes.count == member.bytes else {
      throw .damaged(path: path, member: member.name, reason: "\(bytes.count) bytes, expected \(member.bytes)")
    }
    let checksum = bytes.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, z_size_t($0.count))) }
    guard checksum == member.checksum else {
      throw .damaged(path: path, member: member.name, reason: "its checksum does not fit")
    }
    return bytes
  }

  private func inflate(_ packed: [UInt8], of member: Member) throws(NPZError) -> [UInt8] {
    // Deflate makes at most 1,032 bytes of one: what announces more needs no memory to be refused.
    guard member.bytes <= 1032 * packed.count + 1032 else {
      throw .damaged(path: path, member: member.name, reason: "\(packed.count) bytes cannot hold \(member.bytes)")
    }
    // zlib keeps the address of the stream that it was given, so the stream needs one that does not change.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    stream.initialize(to: z_stream())
    defer { stream.deallocate() }
    let withoutHeader: Int32 = -15
    guard inflateInit2_(stream, withoutHeader, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
      throw .damaged(path: path, member: member.name, reason: "zlib has no memory")
    }
    defer { inflateEnd(stream) }
    // One byte more than expected, to notice that there is more.
    var bytes = [UInt8](repeating: 0, count: member.bytes + 1)
    let status = packed.withUnsafeBufferPointer { input in
      bytes.withUnsafeMutableBufferPointer { output in
        stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        stream.pointee.avail_in = UInt32(input.count)
        stream.pointee.next_out = output.baseAddress
        stream.pointee.avail_out = UInt32(output.count)
        return CZlib.inflate(stream, Z_FINISH)
      }
    }
    guard status == Z_STREAM_END else {
      let reason = stream.pointee.msg.map { String(cString: $0) } ?? "zlib status \(status)"
      throw .damaged(path: path, member: member.name, reason: reason)
    }
    bytes.removeLast(Int(stream.pointee.avail_out))
    return bytes
  }

  /// The little-endian integer of `count` bytes at `offset`.
  private static func integer(_ bytes: [UInt8], _ offset: Int, _ count: Int) -> Int {
    (0..<count).reduce(0) { $0 | Int(bytes[offset + $1]) << (8 * $1) }
  }
}
