import Orders

/// The contents of a file of compressed images, described in docs/compression.md.
///
/// Images are cut into chunks, each with its own stream of bytes and checksums, so that damage to one leaves the others.
public struct CompressedImages: Equatable, Sendable {
  /// What all chunks have in common.
  public struct Header: Equatable, Sendable {
    /// The model that the images were compressed with.
    public let model: ModelHash
    /// The checksum of that model's outputs for a fixed image, where the images were compressed.
    public let arithmetic: UInt32
    /// Rows and columns of every image.
    public let size: ImageSize
    /// Channels of every pixel.
    public let channels: Int
    /// Bits of each channel.
    public let bits: Int
    /// Number of images.
    public let images: Int
    /// Images in each chunk but the last, which may have fewer.
    public let imagesPerChunk: Int
    /// The order in which pixels are coded.
    public let order: CodedOrder

    /// Number of chunks.
    public var chunks: Int { (images + imagesPerChunk - 1) / imagesPerChunk }

    /// The images of chunk `index`.
    public func images(ofChunk index: Int) -> Range<Int> {
      (index * imagesPerChunk)..<min((index + 1) * imagesPerChunk, images)
    }
  }

  /// One chunk's stream of bytes.
  public struct Chunk: Equatable, Sendable {
    /// The bytes; fewer than `byteCount` if the file is truncated.
    public let bytes: [UInt8]
    /// Bytes that were written.
    public let byteCount: Int
    /// CRC-32 of the bytes that were written.
    public let byteChecksum: UInt32
    /// CRC-32 of the images' levels, `[images, pixels, channels]`.
    public let levelChecksum: UInt32

    package init(bytes: [UInt8], levels: [UInt8]) {
      self.init(
        bytes: bytes, byteCount: bytes.count, byteChecksum: Checksum.of(bytes), levelChecksum: Checksum.of(levels))
    }

    fileprivate init(bytes: [UInt8], byteCount: Int, byteChecksum: UInt32, levelChecksum: UInt32) {
      self.bytes = bytes
      self.byteCount = byteCount
      self.byteChecksum = byteChecksum
      self.levelChecksum = levelChecksum
    }
  }

  /// The name of the file, for messages.
  public let path: String
  /// What all chunks have in common.
  public let header: Header
  /// The chunks.
  public let chunks: [Chunk]
  /// Bytes of the header, where the first chunk begins.
  public let headerBytes: Int
  /// Bytes after the last chunk, which do not belong there.
  public let trailingBytes: Int

  /// Format that is written and read.
  public static let format = 1

  // As in PNG, a byte that is no text and line ends that a transfer as text would change.
  private static let magic: [UInt8] = [0x89, 0x4c, 0x4d, 0x43, 0x0d, 0x0a, 0x1a, 0x0a]
  private static let bytesBeforeFields = 14
  private static let checksumBytes = 4
  /// Values that an image, and the images of a chunk together, may have.
  private static let valuesLimit = 1 << 28

  package init(path: String, header: Header, chunks: [Chunk]) {
    precondition(chunks.count == header.chunks, "CompressedImages: \(chunks.count) chunks")
    self.path = path
    self.header = header
    self.chunks = chunks
    trailingBytes = 0
    headerBytes = Self.bytes(of: header, chunks).count
  }

  /// The bytes of the file.
  public var encoded: [UInt8] { chunks.reduce(into: Self.bytes(of: header, chunks)) { $0 += $1.bytes } }

  /// Where chunk `index` begins in the file.
  public func offset(ofChunk index: Int) -> Int { chunks[..<index].reduce(headerBytes) { $0 + $1.byteCount } }

  /// What is wrong with the bytes of chunk `index`, if anything.
  public func damage(ofChunk index: Int) -> ChunkDamage? {
    let chunk = chunks[index]
    guard chunk.bytes.count == chunk.byteCount else {
      return damage(.truncated(expectedBytes: chunk.byteCount, foundBytes: chunk.bytes.count), chunk: index)
    }
    let checksum = Checksum.of(chunk.bytes)
    guard checksum == chunk.byteChecksum else {
      return damage(.changed(expected: chunk.byteChecksum, found: checksum), chunk: index)
    }
    return nil
  }

  func damage(_ cause: ChunkDamage.Cause, chunk index: Int) -> ChunkDamage {
    ChunkDamage(chunk: index, images: header.images(ofChunk: index), offset: offset(ofChunk: index), cause: cause)
  }

  private static func bytes(of header: Header, _ chunks: [Chunk]) -> [UInt8] {
    var fields = LittleEndianWriter()
    fields.write(header.model.bytes)
    fields.write(header.arithmetic)
    fields.write(UInt32(header.size.rows))
    fields.write(UInt32(header.size.columns))
    fields.write(UInt8(header.channels))
    fields.write(UInt8(header.bits))
    fields.write(UInt32(header.images))
    fields.write(UInt32(header.imagesPerChunk))
    header.order.write(to: &fields)
    for chunk in chunks {
      fields.write(UInt32(chunk.byteCount))
      fields.write(chunk.byteChecksum)
      fields.write(chunk.levelChecksum)
    }
    var writer = LittleEndianWriter()
    writer.write(magic)
    writer.write(UInt16(format))
    writer.write(UInt32(bytesBeforeFields + fields.bytes.count + checksumBytes))
    writer.write(fields.bytes)
    writer.write(Checksum.of(writer.bytes))
    return writer.bytes
  }

  /// The contents of the file `bytes`; `path` names it in messages.
  ///
  /// Damage to chunks is left to `damage(ofChunk:)`.
  ///
  /// - Throws: when it is no file of compressed images, or its header is damaged.
  public init(parsing bytes: [UInt8], path: String) throws(CompressionError) {
    guard bytes.starts(with: Self.magic) else {
      throw .notCompressedImages(path: path, found: Array(bytes.prefix(Self.magic.count)))
    }
    var start = LittleEndianReader(bytes[Self.magic.count...])
    guard let format = start.read(UInt16.self), let announced = start.read(UInt32.self) else {
      throw .truncatedHeader(path: path, expectedBytes: Self.bytesBeforeFields, foundBytes: bytes.count)
    }
    guard format == Self.format else {
      throw .otherFormat(path: path, found: Int(format), supported: Self.format)
    }
    let headerBytes = Int(announced)
    guard headerBytes >= Self.bytesBeforeFields + Self.checksumBytes else {
      throw .impossibleHeader(path: path, field: "length of the header, \(headerBytes)")
    }
    guard headerBytes <= bytes.count else {
      throw .truncatedHeader(path: path, expectedBytes: headerBytes, foundBytes: bytes.count)
    }
    let end = headerBytes - Self.checksumBytes
    var checksumReader = LittleEndianReader(bytes[end..<headerBytes])
    let written = checksumReader.read(UInt32.self) ?? 0
    let checksum = Checksum.of(Array(bytes[..<end]))
    guard checksum == written else { throw .changedHeader(path: path, expected: written, found: checksum) }

    // From here on the header is what some program wrote.
    var reader = LittleEndianReader(bytes[Self.bytesBeforeFields..<end])
    header = try Self.header(from: &reader, path: path)
    var chunks: [Chunk] = []
    var offset = headerBytes
    for _ in 0..<header.chunks {
      guard let count = reader.read(UInt32.self), let byteChecksum = reader.read(UInt32.self),
        let levelChecksum = reader.read(UInt32.self)
      else { throw .impossibleHeader(path: path, field: "length of the table of chunks") }
      let place = min(offset, bytes.count)..<min(offset + Int(count), bytes.count)
      chunks.append(
        Chunk(
          bytes: Array(bytes[place]), byteCount: Int(count), byteChecksum: byteChecksum, levelChecksum: levelChecksum))
      offset += Int(count)
    }
    guard reader.left == 0 else { throw .impossibleHeader(path: path, field: "length of the table of chunks") }
    self.path = path
    self.chunks = chunks
    self.headerBytes = headerBytes
    trailingBytes = max(0, bytes.count - offset)
  }

  private static func header(from reader: inout LittleEndianReader, path: String) throws(CompressionError) -> Header {
    func number<Value: FixedWidthInteger>(
      _ type: Value.Type, _ field: String, _ allowed: ClosedRange<Int>
    ) throws(CompressionError) -> Int {
      guard let value = reader.read(type) else { throw .impossibleHeader(path: path, field: "length of the header") }
      guard allowed.contains(Int(value)) else {
        throw .impossibleHeader(path: path, field: "\(field), \(value)")
      }
      return Int(value)
    }
    guard let hash = reader.read(count: ModelHash.byteCount), let arithmetic = reader.read(UInt32.self) else {
      throw .impossibleHeader(path: path, field: "length of the header")
    }
    let rows = try number(UInt32.self, "number of rows", 1...valuesLimit)
    let columns = try number(UInt32.self, "number of columns", 1...(valuesLimit / rows))
    let channels = try number(UInt8.self, "number of channels", 1...4)
    let bits = try number(UInt8.self, "number of bits", 1...8)
    let images = try number(UInt32.self, "number of images", 1...Int(UInt32.max))
    let imagesPerChunk = try number(
      UInt32.self, "number of images in a chunk", 1...max(1, valuesLimit / (rows * columns * channels)))
    let size = ImageSize(rows: rows, columns: columns)
    guard let order = CodedOrder.read(from: &reader, size: size) else {
      throw .impossibleHeader(path: path, field: "generation order")
    }
    return Header(
      model: ModelHash(bytes: hash), arithmetic: arithmetic, size: size, channels: channels, bits: bits,
      images: images, imagesPerChunk: imagesPerChunk, order: order)
  }
}
