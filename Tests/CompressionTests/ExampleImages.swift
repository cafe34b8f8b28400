import Collectives
import Compression
import Datasets
import Foundation
import Kernels
import Model
import Orders
import Tensors
import TestSupport

/// A small model with images for it.
struct ExampleImages {
  let network: LocallyMaskedPixelCNN
  let parameters: FloatBuffer
  let size: ImageSize
  let levels: [UInt8]
  let count: Int

  /// `count` random images for the network of `configuration`, whose outputs are multiplied by `gain`.
  init(
    _ configuration: ModelConfiguration, size: ImageSize, count: Int, testCase: Int = 1, gain: Float = 1
  ) {
    var generator = KeyedGenerator(testCase: testCase)
    // Not only noise: a run of equal levels now and then, and images of one level.
    var levels = generator.levels(
      count * size.pixels * configuration.channels, below: configuration.distribution.levels)
    for index in levels.indices.dropFirst() where generator.integer(below: 2) == 0 { levels[index] = levels[index - 1] }
    let values = size.pixels * configuration.channels
    levels.replaceSubrange(..<values, with: [UInt8](repeating: 0, count: values))
    self.init(configuration, size: size, levels: levels, testCase: testCase, gain: gain)
  }

  /// The images `levels`.
  init(
    _ configuration: ModelConfiguration, size: ImageSize, levels: [UInt8], testCase: Int = 1, gain: Float = 1
  ) {
    network = LocallyMaskedPixelCNN(configuration)
    parameters = network.initialParameters(seed: UInt64(testCase))
    self.size = size
    self.levels = levels
    count = levels.count / (size.pixels * configuration.channels)
    var generator = KeyedGenerator(testCase: testCase + 1)
    for entry in network.layout.entries {
      let factor = entry.name.hasPrefix("nin_out") && !entry.name.hasSuffix("weight_v") ? gain : 1
      let values = network.layout.fileValues(of: entry, in: parameters).map {
        ($0 + 0.2 * (generator.uniform() - 0.5)) * factor
      }
      network.layout.setFileValues(values, of: entry, in: parameters)
    }
  }

  /// `count` binarized test digits.
  static func digits(_ count: Int, split: Split = .test, first: Int = 0) throws -> (levels: [UInt8], size: ImageSize) {
    let dataset = try ImageDataset.load(set: .digits, folder: nil, split: split, bits: 1, binarization: .stochastic)
    var levels = [UInt8](repeating: 0, count: count * dataset.valuesPerImage)
    try dataset.fill(levels: &levels, images: Array(first..<(first + count))[...], key: .evaluation(seed: 1))
    return (levels, dataset.size)
  }

  func codec(threads: Int = 1) -> ImageCodec {
    ImageCodec(
      network: network, parameters: parameters, communicator: SingleProcessCommunicator(), threads: threads)
  }

  func compressed(
    order: CodedOrder = .raster, imagesPerChunk: Int = 4, threads: Int = 1
  ) throws -> ImageCodec.Compressed {
    try codec(threads: threads).compress(
      levels, size: size, order: order, imagesPerChunk: imagesPerChunk, path: "images.lmc")
  }

  /// What the file `bytes` decompresses to.
  func decompressed(_ bytes: [UInt8], threads: Int = 1) throws -> [UInt8] {
    let file = try CompressedImages(parsing: bytes, path: "images.lmc")
    return try codec(threads: threads).decompress(file).flatMap { try $0.levels.get() }
  }

  /// The levels of `images`.
  func levels(of images: Range<Int>) -> [UInt8] {
    let values = levels.count / count
    return Array(levels[(images.lowerBound * values)..<(images.upperBound * values)])
  }
}

extension CodedOrder {
  static let raster = CodedOrder.named(base: .rasterScan, flags: .identity, variant: .identity)
}

extension ModelConfiguration {
  /// A network of a few channels.
  static func tiny(
    channels: Int = 1, normalization: Normalization = .pono, _ distribution: PixelDistribution = .binary
  ) -> ModelConfiguration {
    ModelConfiguration(
      channels: channels, filters: 4, blocks: 1, normalization: normalization, distribution: distribution)
  }
}
