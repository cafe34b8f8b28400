import Collectives
import Compression
import Foundation
import Model
import Orders
import Tensors

/// Compression under a small model with fixed weights.
struct SmallCodec {
  static var shared: SmallCodec { SmallCodec() }

  private static let size = ImageSize(rows: 3, columns: 4)
  private let network: LocallyMaskedPixelCNN
  private let codec: ImageCodec

  init() {
    network = LocallyMaskedPixelCNN(
      ModelConfiguration(channels: 1, filters: 2, blocks: 1, distribution: .logisticMixture(mixtures: 2, bits: 3)))
    codec = ImageCodec(
      network: network, parameters: network.initialParameters(seed: 1), communicator: SingleProcessCommunicator(),
      threads: 1)
  }

  /// Images compressed, in chunks of two.
  func compressed(images: Int) throws -> CompressedImages {
    var generator = KeyedGenerator(seed: 1, purpose: .sampling)
    let levels = (0..<(images * Self.size.pixels)).map { _ in UInt8(generator.integer(below: 8)) }
    return try codec.compress(
      levels, size: Self.size, order: .named(base: .sCurve, flags: .identity, variant: .identity), imagesPerChunk: 2,
      path: "x"
    ).file
  }

  /// Decodes `bytes` as the only chunk of a file; what its checksum would be is not known, so they are decoded and then
  /// told from the images that were compressed.
  func decode(_ bytes: [UInt8]) throws {
    let header = try compressed(images: 2).header
    let levels = [UInt8](repeating: 0, count: 2 * Self.size.pixels)
    let file = CompressedImages(
      path: "x", header: header, chunks: [CompressedImages.Chunk(bytes: bytes, levels: levels)])
    for chunk in try codec.decompress(file, keepsGoing: true) { _ = try chunk.levels.get() }
  }
}
