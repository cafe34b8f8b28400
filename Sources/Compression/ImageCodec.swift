import Collectives
import Foundation
import Kernels
import Model
import Orders
import Tensors

/// Lossless compression of images with a model, by all ranks and threads: each works on chunks of its own, and the bytes
/// are the same for any number of them.
public struct ImageCodec {
  private let network: LocallyMaskedPixelCNN
  private let parameters: FloatBuffer
  private let communicator: any Communicator
  private let threads: Int
  private let model: ModelHash

  /// A codec for the model made of `network` and `parameters`, with `threads` threads on this rank.
  public init(
    network: LocallyMaskedPixelCNN, parameters: FloatBuffer, communicator: any Communicator, threads: Int
  ) {
    precondition(threads > 0, "ImageCodec: \(threads) threads")
    self.network = network
    self.parameters = parameters
    self.communicator = communicator
    self.threads = threads
    model = ModelHash(network: network, parameters: parameters)
  }

  /// The images of a chunk if nothing else is asked for: enough to make good use of each weight that is loaded, as long as
  /// their activations fit in a gigabyte.
  public func defaultImagesPerChunk(size: ImageSize) -> Int {
    max(1, min(32, (1 << 30) / activationBytes(size: size)))
  }

  /// Bytes of an image's activations.
  private func activationBytes(size: ImageSize) -> Int {
    size.pixels * ActivationCache.floatsPerPixel(network: network) * MemoryLayout<Float>.stride
  }

  /// Images compressed, with what the model says about them.
  public struct Compressed {
    /// The file's contents.
    public let file: CompressedImages
    /// -log p of all images together, in nats.
    public let nats: Double
  }

  /// Compresses `levels` `[images, pixels, channels]`, each below the model's number of levels. All ranks call it with the
  /// same arguments and get the same result.
  ///
  /// `shouldStop` is asked from time to time, by any thread; if it says yes on any rank, all stop. `path` names the file in messages.
  ///
  /// - Throws: when the model's outputs are not finite, the order does not exist for `size`, a rank is silent, or when
  ///   asked to stop.
  public func compress(
    _ levels: [UInt8], size: ImageSize, order: CodedOrder, imagesPerChunk: Int, path: String,
    shouldStop: () -> Bool = { false }, progress: (_ chunksDone: Int) -> Void = { _ in }
  ) throws -> Compressed {
    let configuration = network.configuration
    let valuesPerImage = size.pixels * configuration.channels
    precondition(
      imagesPerChunk > 0 && !levels.isEmpty && levels.count % valuesPerImage == 0
        && levels.allSatisfy { Int($0) < configuration.distribution.levels },
      "ImageCodec.compress: \(levels.count) values in images of \(valuesPerImage), chunks of \(imagesPerChunk)")
    let header = CompressedImages.Header(
      model: model, arithmetic: try arithmetic(), size: size, channels: configuration.channels,
      bits: configuration.distribution.levels.trailingZeroBitCount, images: levels.count / valuesPerImage,
      imagesPerChunk: imagesPerChunk, order: order)
    func chunkLevels(_ chunk: Int) -> [UInt8] {
      let images = header.images(ofChunk: chunk)
      return Array(levels[(images.lowerBound * valuesPerImage)..<(images.upperBound * valuesPerImage)])
    }
    let results = try run(header, shouldStop: shouldStop, progress: progress) { chunk, coder in
      let encoded = try coder.encode(
        chunkLevels(chunk), firstImage: header.images(ofChunk: chunk).lowerBound, shouldStop: shouldStop)
      var result = LittleEndianWriter()
      result.write(encoded.nats.bitPattern)
      result.write(encoded.bytes)
      return result.bytes
    }
    var nats = 0.0
    let chunks = results.enumerated().map { index, result in
      var reader = LittleEndianReader(result[...])
      nats += Double(bitPattern: reader.read(UInt64.self) ?? 0)
      return CompressedImages.Chunk(bytes: Array(result[reader.position...]), levels: chunkLevels(index))
    }
    return Compressed(file: CompressedImages(path: path, header: header, chunks: chunks), nats: nats)
  }

  /// What became of one chunk.
  public struct DecompressedChunk {
    /// The chunk's images.
    public let images: Range<Int>
    /// Their levels `[images, pixels, channels]`, or why they are lost.
    public let levels: Result<[UInt8], ChunkDamage>
  }

  /// Decompresses `file`. All ranks call it with the same file and get the same result.
  ///
  /// Every chunk's bytes are checked before, and its images after decoding, so what is returned is what was compressed.
  /// With `keepsGoing`, damaged chunks are passed over and returned as such.
  ///
  /// - Throws: when the file was compressed with another model or where its outputs have other bits; when a chunk is
  ///   damaged or bytes follow the last one, unless `keepsGoing`; when a rank is silent, or when asked to stop.
  public func decompress(
    _ file: CompressedImages, keepsGoing: Bool = false, shouldStop: () -> Bool = { false },
    progress: (_ chunksDone: Int) -> Void = { _ in }
  ) throws -> [DecompressedChunk] {
    let header = file.header
    guard header.model == model else {
      throw CompressionError.otherModel(path: file.path, expected: header.model, found: model)
    }
    guard
      header.channels == network.configuration.channels
        && 1 << header.bits == network.configuration.distribution.levels
    else {
      throw CompressionError.impossibleHeader(
        path: file.path, field: "format of pixels for its model, \(header.channels) channels of \(header.bits) bits")
    }
    let arithmetic = try arithmetic()
    guard header.arithmetic == arithmetic else {
      throw CompressionError.otherArithmetic(path: file.path, expected: header.arithmetic, found: arithmetic)
    }
    var damages = file.chunks.indices.map { file.damage(ofChunk: $0) }
    try refuse(damages, of: file, unless: keepsGoing)
    guard keepsGoing || file.trailingBytes == 0 else {
      let end = file.offset(ofChunk: file.chunks.count)
      throw CompressionError.trailingBytes(path: file.path, offset: end, count: file.trailingBytes)
    }
    let results = try run(header, shouldStop: shouldStop, progress: progress) { chunk, coder in
      guard damages[chunk] == nil else { return [] }
      do {
        return try coder.decode(
          file.chunks[chunk].bytes, firstImage: header.images(ofChunk: chunk).lowerBound, shouldStop: shouldStop)
      } catch is RangeDecoderError {
        // As for images that decode but are not those that were compressed: told by the checksum, on all ranks.
        return []
      }
    }
    for (index, levels) in results.enumerated() where damages[index] == nil {
      if levels.isEmpty || Checksum.of(levels) != file.chunks[index].levelChecksum {
        damages[index] = file.damage(.otherImages, chunk: index)
      }
    }
    try refuse(damages, of: file, unless: keepsGoing)
    return results.enumerated().map { index, levels in
      DecompressedChunk(
        images: header.images(ofChunk: index), levels: damages[index].map { .failure($0) } ?? .success(levels))
    }
  }

  private func refuse(_ damages: [ChunkDamage?], of file: CompressedImages, unless keepsGoing: Bool) throws {
    let present = damages.compactMap { $0 }
    guard keepsGoing || present.isEmpty else {
      throw CompressionError.damagedChunks(path: file.path, present, chunks: file.chunks.count)
    }
  }

  /// Runs `body` for every chunk with a coder for its number of images.
  private func run(
    _ header: CompressedImages.Header, shouldStop: () -> Bool, progress: (_ chunksDone: Int) -> Void,
    _ body: (_ chunk: Int, _ coder: ChunkCoder) throws -> [UInt8]
  ) throws -> [[UInt8]] {
    let rounds = try ChunkRounds(chunks: header.chunks, threads: threads, communicator: communicator)
    try checkMemory(header, chunksAtOnce: rounds.workers)
    let plan = LocationPlan(order: try header.order.order(of: header.size), windows: network.windows)
    let workers = (0..<rounds.workers).map { _ in
      Worker(network, parameters, plan, pool: ThreadPool(threads: rounds.threadsPerWorker))
    }
    return try rounds.run(shouldStop: shouldStop, progress: progress) { chunk, worker in
      try body(chunk, workers[worker].coder(images: header.images(ofChunk: chunk).count))
    }
  }

  private func checkMemory(_ header: CompressedImages.Header, chunksAtOnce: Int) throws(CompressionError) {
    let images = min(header.imagesPerChunk, header.images)
    let gigabytes = images * chunksAtOnce * activationBytes(size: header.size) >> 30
    let available = Int(ProcessInfo.processInfo.physicalMemory >> 30)
    guard gigabytes <= available else {
      throw .needsMemory(
        imagesPerChunk: images, chunksAtOnce: chunksAtOnce, gigabytes: gigabytes, available: available)
    }
  }

  /// What one thread keeps from chunk to chunk.
  private final class Worker {
    private let network: LocallyMaskedPixelCNN
    private let parameters: FloatBuffer
    private let plan: LocationPlan
    private let pool: ThreadPool
    private var last: ChunkCoder?

    init(_ network: LocallyMaskedPixelCNN, _ parameters: FloatBuffer, _ plan: LocationPlan, pool: ThreadPool) {
      self.network = network
      self.parameters = parameters
      self.plan = plan
      self.pool = pool
    }

    func coder(images: Int) -> ChunkCoder {
      if let last, last.images == images { return last }
      // The memory of the one before is free for this one.
      last = nil
      let coder = ChunkCoder(network: network, parameters: parameters, plan: plan, images: images, pool: pool)
      last = coder
      return coder
    }
  }

  /// The checksum of the bits that this build on this processor computes for a fixed image, from the first activations to
  /// the range coder's bytes: two machines where it differs could not read each other's files.
  private func arithmetic() throws -> UInt32 {
    let size = ImageSize(rows: 8, columns: 8)
    let order = try GenerationOrder(base: .sCurve, size: size)
    let coder = ChunkCoder(
      network: network, parameters: parameters, plan: LocationPlan(order: order, windows: network.windows), images: 1,
      pool: ThreadPool(threads: 1))
    var generator = KeyedGenerator(seed: 0, purpose: .sampling)
    let levels = (0..<(size.pixels * network.configuration.channels)).map { _ in
      UInt8(generator.integer(below: network.configuration.distribution.levels))
    }
    var bits = LittleEndianWriter()
    let encoded = try coder.encode(
      levels, firstImage: 0, observe: { logits in for value in logits.values { bits.write(value.bitPattern) } })
    bits.write(encoded.bytes)
    return Checksum.of(bits.bytes)
  }
}
