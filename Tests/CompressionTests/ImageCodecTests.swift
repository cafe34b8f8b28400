import Compression
import Foundation
import Kernels
import Model
import Orders
import Tensors
import TestSupport
import Testing

@Suite struct ImageCodecTests {
  /// Checks that the images come back, and returns the file's bytes.
  @discardableResult
  private func expectRoundTrip(
    _ images: ExampleImages, order: CodedOrder = .raster, imagesPerChunk: Int = 4
  ) throws -> [UInt8] {
    let compressed = try images.compressed(order: order, imagesPerChunk: imagesPerChunk)
    let bytes = compressed.file.encoded
    #expect(try images.decompressed(bytes) == images.levels)
    return bytes
  }

  @Test(arguments: 1...8, [1, 2, 3, 4])
  func imagesOfAnyBitDepthAndChannelsComeBack(bits: Int, channels: Int) throws {
    try expectRoundTrip(
      ExampleImages(
        .tiny(channels: channels, .logisticMixture(mixtures: 3, bits: bits)), size: ImageSize(rows: 5, columns: 7),
        count: 6, testCase: bits))
  }

  @Test(arguments: Normalization.allCases)
  func binaryImagesOfAnyNormalizationComeBack(normalization: Normalization) throws {
    try expectRoundTrip(
      ExampleImages(.tiny(normalization: normalization), size: ImageSize(rows: 9, columns: 6), count: 11))
  }

  /// Models that are sure of everything, and wrong about most of it.
  @Test(arguments: [1e3, 1e6, 1e12, 1e30] as [Float])
  func imagesThatTheModelHoldsImpossibleComeBack(gain: Float) throws {
    let size = ImageSize(rows: 6, columns: 6)
    try expectRoundTrip(ExampleImages(.tiny(), size: size, count: 9, gain: gain))
    for channels in [1, 3] {
      for bits in [1, 5, 8] {
        try expectRoundTrip(
          ExampleImages(
            .tiny(channels: channels, .logisticMixture(mixtures: 4, bits: bits)), size: size, count: 5, gain: gain))
      }
    }
  }

  @Test func imagesComeBackInAnyOrder() throws {
    let size = ImageSize(rows: 8, columns: 8)
    let images = ExampleImages(.tiny(), size: size, count: 5)
    for base in BaseOrder.allCases {
      for variant in OrderVariant.allCases {
        try expectRoundTrip(images, order: .named(base: base, flags: .reflectColumns, variant: variant))
      }
    }
    var generator = KeyedGenerator(testCase: 2)
    for _ in 0..<5 { try expectRoundTrip(images, order: .listed(try generator.order(of: size))) }
  }

  @Test(arguments: [ImageSize(rows: 1, columns: 1), ImageSize(rows: 1, columns: 20), ImageSize(rows: 13, columns: 1)])
  func imagesOfAnySizeComeBack(size: ImageSize) throws {
    try expectRoundTrip(ExampleImages(.tiny(), size: size, count: 10))
    try expectRoundTrip(
      ExampleImages(.tiny(channels: 3, .logisticMixture(mixtures: 2, bits: 8)), size: size, count: 3))
  }

  @Test(arguments: [1, 2, 7, 10, 11, 1000])
  func imagesComeBackFromChunksOfAnySize(imagesPerChunk: Int) throws {
    let images = ExampleImages(.tiny(), size: ImageSize(rows: 6, columns: 5), count: 10)
    let bytes = try expectRoundTrip(images, imagesPerChunk: imagesPerChunk)
    let file = try CompressedImages(parsing: bytes, path: "images.lmc")
    #expect(file.chunks.count == (10 + imagesPerChunk - 1) / imagesPerChunk)
    #expect(file.encoded == bytes)
  }

  @Test func threadsChangeNoByte() throws {
    let images = ExampleImages(
      .tiny(channels: 3, .logisticMixture(mixtures: 2, bits: 8)), size: ImageSize(rows: 7, columns: 5), count: 9)
    let alone = try images.compressed(imagesPerChunk: 2)
    for threads in 2...4 {
      let together = try images.compressed(imagesPerChunk: 2, threads: threads)
      #expect(together.file == alone.file)
      #expect(together.nats == alone.nats)
      #expect(try images.decompressed(alone.file.encoded, threads: threads) == images.levels)
    }
    // One chunk for several threads, which then share its layers.
    let whole = try images.compressed(imagesPerChunk: 9)
    #expect(try images.compressed(imagesPerChunk: 9, threads: 3).file == whole.file)
  }

  /// The likelihood that is reported is the one that a full pass over the images gives.
  @Test func theReportedLikelihoodIsTheModels() throws {
    let images = ExampleImages(
      .tiny(channels: 3, .logisticMixture(mixtures: 2, bits: 6)), size: ImageSize(rows: 6, columns: 6), count: 5)
    let run = NetworkRun(
      .locallyMasked(images.network), parameters: images.parameters, size: images.size, images: images.count)
    let order = try GenerationOrder(base: .rasterScan, size: images.size)
    let expected = run.loss(images.levels, plan: OrderPlan(order: order, windows: images.network.windows))
    let found = try images.compressed(imagesPerChunk: 2).nats
    #expect(abs(found - expected) < 1e-9 * expected)
  }

  /// 500 digits, by a model that hesitates and by one that is sure: at most 0.01 bits a dimension above the likelihood.
  @Test(arguments: [1, 30] as [Float])
  func digitsTakeTheirLikelihoodAndLittleMore(gain: Float) throws {
    let (levels, size) = try ExampleImages.digits(500)
    let images = ExampleImages(.tiny(), size: size, levels: levels, gain: gain)
    let codec = images.codec()
    let compressed = try codec.compress(
      levels, size: size, order: .named(base: .sCurve, flags: .identity, variant: .identity),
      imagesPerChunk: codec.defaultImagesPerChunk(size: size), path: "digits.lmc")
    let bits = Double(compressed.file.encoded.count * 8) / Double(levels.count)
    let likelihood = compressed.nats / log(2) / Double(levels.count)
    #expect(bits <= likelihood + 0.01, "\(bits) of \(likelihood)")
    #expect(try images.decompressed(compressed.file.encoded) == levels)
  }

  /// The coder itself costs next to nothing where 256 levels share the probability.
  @Test(arguments: [1, 3])
  func mixturesTakeTheirLikelihood(channels: Int) throws {
    let images = ExampleImages(
      .tiny(channels: channels, .logisticMixture(mixtures: 5, bits: 8)), size: ImageSize(rows: 16, columns: 16),
      count: 16)
    let compressed = try images.compressed(imagesPerChunk: 16)
    let bits = Double(compressed.file.chunks[0].bytes.count * 8) / Double(images.levels.count)
    let likelihood = compressed.nats / log(2) / Double(images.levels.count)
    #expect(abs(bits - likelihood) < 0.002, "\(bits) of \(likelihood)")
  }

  /// No level costs more than 32 bits, however impossible the model holds it.
  @Test(arguments: [1, 3])
  func surpriseHasALimit(channels: Int) throws {
    let images = ExampleImages(
      .tiny(channels: channels, .logisticMixture(mixtures: 5, bits: 8)), size: ImageSize(rows: 8, columns: 8),
      count: 8, gain: 1e6)
    let compressed = try images.compressed(imagesPerChunk: 8)
    #expect(compressed.nats / log(2) > 1000 * Double(images.levels.count))
    #expect(compressed.file.chunks[0].bytes.count <= 4 * images.levels.count + 1)
  }

  @Test func outputsThatAreNotNumbersAreNamed() {
    let images = ExampleImages(.tiny(), size: ImageSize(rows: 4, columns: 4), count: 2, gain: .nan)
    #expect(throws: CompressionError.notFinite(image: 0, row: 0, column: 0)) { try images.compressed() }
    #expect(
      "\(CompressionError.notFinite(image: 0, row: 3, column: 1))"
        == "the model's output for image 0 at (3, 1) is not finite; its parameters are damaged or its training diverged"
    )
  }

  /// Asked at each of a chunk's 16 pixels and after the chunk.
  @Test(arguments: [(1, 0), (17, 1), (20, 1), (34, 2), (40, 2)])
  func anInterruptionIsTold(question: Int, done: Int) throws {
    let images = ExampleImages(.tiny(), size: ImageSize(rows: 4, columns: 4), count: 6)
    var asked = 0
    #expect(throws: CompressionError.interrupted(done: done, of: 3)) {
      try images.codec().compress(
        images.levels, size: images.size, order: .raster, imagesPerChunk: 2, path: "images.lmc",
        shouldStop: {
          asked += 1
          return asked == question
        })
    }
    #expect(
      "\(CompressionError.interrupted(done: 2, of: 3))" == "stopped after 2 of 3 chunks; nothing was written")
  }

  @Test func progressCountsChunks() throws {
    let images = ExampleImages(.tiny(), size: ImageSize(rows: 4, columns: 4), count: 7)
    var done: [Int] = []
    let file = try images.codec(threads: 2).compress(
      images.levels, size: images.size, order: .raster, imagesPerChunk: 2, path: "images.lmc",
      progress: { done.append($0) }
    ).file
    #expect(done == [2, 4])
    done = []
    _ = try images.codec().decompress(file, progress: { done.append($0) })
    #expect(done == [1, 2, 3, 4])
  }
}
