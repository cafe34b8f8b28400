import Compression
import Model
import Orders
import Tensors
import TestSupport
import Testing

/// Files that are not what was written, or not of this model: each is told, and none becomes a wrong picture.
@Suite struct CompressedImagesTests {
  let images = ExampleImages(.tiny(), size: ImageSize(rows: 6, columns: 7), count: 10)
  let bytes: [UInt8]

  init() throws { bytes = try images.compressed(imagesPerChunk: 3).file.encoded }

  /// Expects `bytes` to be refused, and, where they can be decompressed in part, right images or none.
  private func expectRefusal(_ bytes: [UInt8], _ what: String) {
    #expect(throws: CompressionError.self, "\(what)") { try images.decompressed(bytes) }
    do {
      let file = try CompressedImages(parsing: bytes, path: "images.lmc")
      for chunk in try images.codec().decompress(file, keepsGoing: true) {
        guard case .success(let levels) = chunk.levels else { continue }
        #expect(levels == images.levels(of: chunk.images), "\(what): wrong images")
      }
    } catch { #expect(error is CompressionError, "\(what): \(error)") }
  }

  @Test func fiveHundredCorruptionsAreAllTold() {
    var generator = KeyedGenerator(testCase: 7)
    for number in 0..<500 {
      var damaged = bytes
      let place = generator.integer(below: bytes.count)
      switch number % 5 {
      case 0: damaged[place] ^= 1 << UInt8(generator.integer(below: 8))
      case 1: damaged[place] ^= UInt8(1 + generator.integer(below: 255))
      case 2: damaged.remove(at: place)
      case 3: damaged.insert(UInt8(generator.integer(below: 256)), at: place)
      default:
        for index in place..<min(place + 1 + generator.integer(below: 40), bytes.count) {
          damaged[index] = ~bytes[index]
        }
      }
      // Inserting a byte before an equal one, or one less where two are equal, can leave a file as it was.
      if damaged != bytes { expectRefusal(damaged, "corruption \(number) at byte \(place)") }
    }
  }

  @Test func everyTruncationAndExtensionIsTold() {
    for count in 0..<bytes.count { expectRefusal(Array(bytes[..<count]), "\(count) bytes") }
    expectRefusal(bytes + [0], "a byte more")
    expectRefusal(bytes + bytes, "twice")
  }

  @Test func everyFlippedBitOfTheHeaderIsTold() throws {
    for bit in 0..<(try CompressedImages(parsing: bytes, path: "").headerBytes * 8) {
      var damaged = bytes
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(throws: CompressionError.self, "bit \(bit)") { try images.decompressed(damaged) }
    }
  }

  @Test func damageStaysInItsChunk() throws {
    let file = try CompressedImages(parsing: bytes, path: "images.lmc")
    for chunk in 0..<4 {
      var damaged = bytes
      damaged[file.offset(ofChunk: chunk) + 1] ^= 16
      let parsed = try CompressedImages(parsing: damaged, path: "images.lmc")
      let chunks = try images.codec(threads: 2).decompress(parsed, keepsGoing: true)
      #expect(chunks.count == 4)
      for (index, found) in chunks.enumerated() {
        switch found.levels {
        case .success(let levels):
          #expect(index != chunk)
          #expect(levels == images.levels(of: found.images))
        case .failure(let damage):
          #expect(index == chunk && damage.chunk == chunk && damage.images == found.images)
        }
      }
    }
  }

  // MARK: What errors say

  /// What is said of `bytes`.
  private func message(_ bytes: [UInt8]) -> String {
    do {
      _ = try images.decompressed(bytes)
      return "nothing"
    } catch { return "\(error)" }
  }

  @Test func otherFilesAreTold() {
    #expect(message([]) == "images.lmc: not a file of compressed images: it begins with nothing")
    #expect(
      message(Array("PNG and more".utf8))
        == "images.lmc: not a file of compressed images: it begins with 50 4e 47 20 61 6e 64 20")
  }

  @Test func anotherFormatIsTold() {
    var other = bytes
    other[8] = 2
    #expect(
      message(other)
        == "images.lmc: compressed in format 2, this program reads format 1; use the program that wrote it, unless the "
        + "file is damaged")
  }

  @Test func aTruncatedHeaderIsTold() throws {
    let header = try CompressedImages(parsing: bytes, path: "").headerBytes
    #expect(
      message(Array(bytes[..<20])) == "images.lmc: truncated within its header: 20 bytes, the header has \(header)")
    #expect(message(Array(bytes[..<9])) == "images.lmc: truncated within its header: 9 bytes, the header has 14")
  }

  @Test func aChangedHeaderIsTold() {
    var damaged = bytes
    damaged[40] ^= 1
    let expected = message(damaged)
    #expect(expected.hasPrefix("images.lmc: the header is damaged: its checksum is "))
    #expect(expected.hasSuffix(" was written; nothing can be decompressed"))
  }

  @Test func aDamagedChunkIsToldWithItsPlaceAndImages() throws {
    let file = try CompressedImages(parsing: bytes, path: "images.lmc")
    let offset = file.offset(ofChunk: 1)
    var damaged = bytes
    damaged[offset] ^= 1
    let found = Checksum.of(Array(damaged[offset..<file.offset(ofChunk: 2)]))
    #expect(
      message(damaged)
        == "images.lmc: 1 of 4 chunks damaged: chunk 1 at byte \(offset) (images 3 to 5) has checksum \(hex(found)), "
        + "\(hex(file.chunks[1].byteChecksum)) was written")
  }

  @Test func missingChunksAreTold() throws {
    let file = try CompressedImages(parsing: bytes, path: "images.lmc")
    let counts = file.chunks.map(\.byteCount)
    let offset = file.offset(ofChunk: 2)
    #expect(
      message(Array(bytes[..<(offset + 5)]))
        == "images.lmc: 2 of 4 chunks damaged: chunk 2 at byte \(offset) (images 6 to 8) has 5 of its \(counts[2]) bytes; "
        + "chunk 3 at byte \(offset + counts[2]) (images 9 to 9) has 0 of its \(counts[3]) bytes")
  }

  @Test func bytesAfterTheEndAreTold() throws {
    #expect(message(bytes + [1, 2, 3]) == "images.lmc:\(bytes.count): 3 bytes after the end of the last chunk")
    let file = try CompressedImages(parsing: bytes + [1, 2, 3], path: "images.lmc")
    #expect(file.trailingBytes == 3)
    let levels = try images.codec().decompress(file, keepsGoing: true).flatMap { try $0.levels.get() }
    #expect(levels == images.levels)
  }

  /// The weights, how they are used, and their names are all part of a model.
  @Test func anotherModelIsTold() throws {
    let own = ModelHash(network: images.network, parameters: images.parameters)
    let changed = ExampleImages(.tiny(), size: images.size, count: 10, testCase: 2)
    let hash = ModelHash(network: changed.network, parameters: changed.parameters)
    #expect(throws: CompressionError.otherModel(path: "images.lmc", expected: own, found: hash)) {
      try changed.decompressed(bytes)
    }
    #expect(
      "\(CompressionError.otherModel(path: "a.lmc", expected: own, found: hash))"
        == "a.lmc: compressed with model \(own), this model is \(hash); use the checkpoint that it was compressed with, "
        + "and the same --weights")

    let copy = FloatBuffer(images.parameters.values)
    #expect(ModelHash(network: images.network, parameters: copy) == own)
    let entry = images.network.layout.entries[1]
    copy[entry.range.lowerBound] = copy[entry.range.lowerBound].nextUp
    #expect(ModelHash(network: images.network, parameters: copy) != own)
    let rescaled = LocallyMaskedPixelCNN(.tiny(normalization: .orderRescale))
    #expect(rescaled.layout == images.network.layout)
    #expect(ModelHash(network: rescaled, parameters: images.parameters) != own)
  }

  // MARK: Headers with a right checksum that no program wrote

  /// The file with `change` made to the header, and the header's checksum made right.
  private func forged(_ change: (inout [UInt8]) -> Void) throws -> [UInt8] {
    let end = try CompressedImages(parsing: bytes, path: "").headerBytes
    var forged = bytes
    change(&forged)
    let checksum = Checksum.of(Array(forged[..<(end - 4)]))
    for index in 0..<4 { forged[end - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
    return forged
  }

  @Test func outputsWithOtherBitsAreTold() throws {
    let file = try CompressedImages(parsing: bytes, path: "")
    let other = try forged { $0[30] ^= 1 }
    #expect(
      message(other)
        == "images.lmc: compressed where this model's outputs have checksum \(hex(file.header.arithmetic ^ 1)), here it "
        + "is \(hex(file.header.arithmetic)); use the build of this program that compressed it, on the same kind of "
        + "processor")
  }

  @Test func bytesThatDecodeToOtherImagesAreTold() throws {
    let file = try CompressedImages(parsing: bytes, path: "")
    let offset = file.offset(ofChunk: 0)
    // The last twelve bytes of the table are chunk 3's; the first chunk's are 48 bytes before the checksum.
    let entry = file.headerBytes - 4 - 48
    let otherLevels = try forged { $0[entry + 8] ^= 1 }
    let expected =
      "images.lmc: 1 of 4 chunks damaged: chunk 0 at byte \(offset) (images 0 to 2) decodes to other images than were "
      + "compressed; use the build of this program that compressed it"
    #expect(message(otherLevels) == expected)
    for place in 0..<file.chunks[0].byteCount {
      let otherBytes = try forged { forged in
        forged[offset + place] ^= 0x5a
        let checksum = Checksum.of(Array(forged[offset..<file.offset(ofChunk: 1)]))
        for index in 0..<4 { forged[entry + 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index))) }
      }
      #expect(message(otherBytes) == expected)
    }
  }

  @Test(arguments: [
    (34, 0, "number of rows, 0"), (38, 0xffff_ffff, "number of columns, 4294967295"),
    (42, 0x0105, "number of channels, 5"), (42, 0x0901, "number of bits, 9"), (44, 0, "number of images, 0"),
    (48, 0, "number of images in a chunk, 0"), (48, 9, "length of the table of chunks"),
    (48, 1, "length of the table of chunks"), (52, 0x6172_0bff, "generation order"),
    (52, 0x6172_0b00, "generation order"),
  ])
  func impossibleHeadersAreTold(offset: Int, value: Int, field: String) throws {
    // Two bytes for the channels and bits, four for the rest.
    let width = offset == 42 ? 2 : 4
    let other = try forged { forged in
      for index in 0..<width { forged[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    #expect(message(other) == "images.lmc: its header holds an impossible \(field)")
  }

  @Test func forgedHeadersNeverCrash() throws {
    var generator = KeyedGenerator(testCase: 8)
    let end = try CompressedImages(parsing: bytes, path: "").headerBytes
    for _ in 0..<2000 {
      let other = try forged { forged in
        for _ in 0...generator.integer(below: 3) {
          forged[14 + generator.integer(below: end - 18)] = UInt8(generator.integer(below: 256))
        }
      }
      do { _ = try CompressedImages(parsing: other, path: "images.lmc") } catch {
        guard case .impossibleHeader = error else {
          Issue.record("\(error)")
          continue
        }
      }
    }
  }

  @Test func aModelOfOtherPixelsIsTold() throws {
    #expect(
      message(try forged { $0[43] = 2 })
        == "images.lmc: its header holds an impossible format of pixels for its model, 1 channels of 2 bits")
  }

  @Test func chunksThatDoNotFitInMemoryAreTold() throws {
    let size = ImageSize(rows: 1 << 12, columns: 1 << 12)
    let error = #expect(throws: CompressionError.self) {
      try images.codec().decompress(
        try CompressedImages(parsing: try forgedSize(size, imagesPerChunk: 10), path: "images.lmc"), keepsGoing: true)
    }
    guard case .needsMemory(imagesPerChunk: 10, chunksAtOnce: 1, let gigabytes, _) = error else {
      Issue.record("\(String(describing: error))")
      return
    }
    // 16M pixels, 10 images, 32 * 4 + ... floats of 4 bytes.
    #expect(gigabytes > 50)
    #expect(
      "\(CompressionError.needsMemory(imagesPerChunk: 10, chunksAtOnce: 2, gigabytes: 70, available: 15))"
        == "2 chunks of 10 images at once need 70 GB of memory, this host has 15; use fewer threads, or compress in "
        + "smaller chunks")
  }

  /// One chunk of ten images of `size`, in 1 byte.
  private func forgedSize(_ size: ImageSize, imagesPerChunk: Int) throws -> [UInt8] {
    let one = try images.compressed(imagesPerChunk: imagesPerChunk).file
    var forged = one.encoded
    for (offset, value) in [(34, size.rows), (38, size.columns)] {
      for index in 0..<4 { forged[offset + index] = UInt8(truncatingIfNeeded: value >> (8 * index)) }
    }
    let checksum = Checksum.of(Array(forged[..<(one.headerBytes - 4)]))
    for index in 0..<4 {
      forged[one.headerBytes - 4 + index] = UInt8(truncatingIfNeeded: checksum >> (8 * UInt32(index)))
    }
    return forged
  }

  private func hex(_ value: UInt32) -> String {
    let text = String(value, radix: 16)
    return String(repeating: "0", count: 8 - text.count) + text
  }
}
