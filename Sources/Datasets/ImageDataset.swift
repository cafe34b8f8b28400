import CZlib
import Orders
import Tensors

/// Images of one size with their labels, in memory.
public struct ImageDataset: Sendable {
  /// What the set is called, in messages and records.
  public let name: String
  /// Rows and columns of every image.
  public let size: ImageSize
  /// Channels of every pixel.
  public let channels: Int
  /// Bits of each channel of a pixel as the model sees it, 1 to 8.
  public let bits: Int
  /// How pixels are made binary, if at all; `bits` is 1 if they are.
  public let binarization: Binarization
  /// Number of images.
  public let count: Int
  /// The images as the files hold them, 8 bits, [image, row, column, channel].
  public let pixels: [UInt8]
  /// The class of each image.
  public let labels: [UInt8]
  /// CRC-32 of the sizes and of `pixels`: tells whether a run goes on with the data that it began with. `bits` and
  /// `binarization` are not part of it.
  public let contentHash: UInt32
  /// The files that the images were read from; none for images that were not.
  public internal(set) var files: [DataFile] = []
  /// Pictures that cannot be used and were left out.
  public internal(set) var skipped: [BadPicture] = []

  /// A set of `labels.count` images, at least one; `pixels` is [image, row, column, channel].
  ///
  /// - Throws: when `bits` is not 1 to 8, or not 1 although the pixels are binarized.
  public init(
    name: String, size: ImageSize, channels: Int, bits: Int = 8, binarization: Binarization = .none, pixels: [UInt8],
    labels: [UInt8]
  ) throws(DatasetError) {
    guard (1...8).contains(bits) else { throw .unsupportedBits(bits) }
    guard binarization == .none || bits == 1 else { throw .bitsOfBinarizedPixels(bits) }
    precondition(
      channels > 0 && !labels.isEmpty && pixels.count == labels.count * size.pixels * channels,
      "ImageDataset: \(pixels.count) values for \(labels.count) images of \(size) pixels of \(channels) channels")
    self.name = name
    self.size = size
    self.channels = channels
    self.bits = bits
    self.binarization = binarization
    self.pixels = pixels
    self.labels = labels
    count = labels.count
    contentHash = Self.hash(sizes: [labels.count, size.rows, size.columns, channels], pixels: pixels)
  }

  /// Values that a channel of a pixel can take as the model sees it.
  public var levels: Int { 1 << bits }

  /// Channels of all pixels of one image.
  public var valuesPerImage: Int { size.pixels * channels }

  /// Writes `images` as the model sees them to `values`, [images * pixels, channels], each 0..<`levels`.
  ///
  /// `key` says which random bits binarize; only stochastic binarization draws any. Nothing is allocated as long as
  /// `values` is not shared with another variable.
  public func fill(levels values: inout [UInt8], images: ArraySlice<Int>, key: BinarizationKey) {
    precondition(
      values.count == images.count * valuesPerImage,
      "ImageDataset.fill: \(values.count) values for \(images.count) images of \(valuesPerImage)")
    switch binarization {
    case .none, .threshold:
      // The lower bits are dropped (as Kingma and Dhariwal do in Glow, 2018); of one bit, what is left is the threshold.
      let dropped = 8 - bits
      copy(images, to: &values) { $0 >> dropped }
    case .stochastic:
      binarize(images, to: &values, key: key)
    }
  }

  @inline(__always)
  private func copy(_ images: ArraySlice<Int>, to values: inout [UInt8], _ level: (UInt8) -> UInt8) {
    var index = 0
    for image in images {
      for source in range(of: image) {
        values[index] = level(pixels[source])
        index += 1
      }
    }
  }

  private func binarize(_ images: ArraySlice<Int>, to values: inout [UInt8], key: BinarizationKey) {
    switch key {
    case .training(let seed, let step, let slot):
      var generator = KeyedGenerator(seed: seed, purpose: .binarization, step: step, slot: slot)
      copy(images, to: &values) { Binarization.draw(value: $0, from: &generator) }
    case .evaluation(let seed):
      var index = 0
      for image in images {
        var generator = KeyedGenerator(seed: seed, purpose: .evaluationBinarization, step: image)
        for source in range(of: image) {
          values[index] = Binarization.draw(value: pixels[source], from: &generator)
          index += 1
        }
      }
    }
  }

  private func range(of image: Int) -> Range<Int> {
    precondition(image >= 0 && image < count, "ImageDataset: image \(image) outside 0..<\(count)")
    return (image * valuesPerImage)..<((image + 1) * valuesPerImage)
  }

  private static func hash(sizes: [Int], pixels: [UInt8]) -> UInt32 {
    let header = sizes.flatMap { size in (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
    return [header, pixels].reduce(0) { crc, part in
      UInt32(part.withUnsafeBufferPointer { crc32_z(UInt(crc), $0.baseAddress, z_size_t($0.count)) })
    }
  }
}
