import CZlib
import Imaging
import Orders
import Tensors

/// Images of one size with their labels, in memory or in a packed file.
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
  /// The class of each image.
  public let labels: [UInt8]
  /// CRC-32 of the sizes and of all `pixels`: tells whether a run goes on with the data that it began with. `bits` and
  /// `binarization` are not part of it.
  public let contentHash: UInt32
  /// The files that the images were read from; none for images that were not.
  public internal(set) var files: [DataFile] = []
  /// Pictures that cannot be used and were left out.
  public internal(set) var skipped: [BadPicture] = []
  private let storage: Storage

  /// Where the images are as the files hold them, 8 bits, [row, column, channel] each.
  private enum Storage: Sendable {
    /// One after the other.
    case memory([UInt8])
    /// At these records.
    case packed(PackedFile, records: [Int])
  }

  /// A set of `labels.count` images, at least one; `pixels` is [image, row, column, channel].
  ///
  /// - Throws: when `bits` is not 1 to 8, or not 1 although the pixels are binarized.
  public init(
    name: String, size: ImageSize, channels: Int, bits: Int = 8, binarization: Binarization = .none, pixels: [UInt8],
    labels: [UInt8]
  ) throws(DatasetError) {
    precondition(
      channels > 0 && !labels.isEmpty && pixels.count == labels.count * size.pixels * channels,
      "ImageDataset: \(pixels.count) values for \(labels.count) images of \(size) pixels of \(channels) channels")
    try self.init(
      name: name, size: size, channels: channels, bits: bits, binarization: binarization, storage: .memory(pixels),
      labels: labels,
      contentHash: Self.hash(sizes: [labels.count, size.rows, size.columns, channels], pixels: pixels))
  }

  /// The set of the `records` of `file`.
  ///
  /// - Throws: when `bits` is not 1 to 8, or not 1 although the pixels are binarized.
  init(
    name: String, size: ImageSize, channels: Int, bits: Int, binarization: Binarization, file: PackedFile,
    records: [Int], labels: [UInt8], contentHash: UInt32
  ) throws(DatasetError) {
    try self.init(
      name: name, size: size, channels: channels, bits: bits, binarization: binarization,
      storage: .packed(file, records: records), labels: labels, contentHash: contentHash)
  }

  private init(
    name: String, size: ImageSize, channels: Int, bits: Int, binarization: Binarization, storage: Storage,
    labels: [UInt8], contentHash: UInt32
  ) throws(DatasetError) {
    guard (1...8).contains(bits) else { throw .unsupportedBits(bits) }
    guard binarization == .none || bits == 1 else { throw .bitsOfBinarizedPixels(bits) }
    self.name = name
    self.size = size
    self.channels = channels
    self.bits = bits
    self.binarization = binarization
    self.storage = storage
    self.labels = labels
    count = labels.count
    self.contentHash = contentHash
  }

  /// Values that a channel of a pixel can take as the model sees it.
  public var levels: Int { 1 << bits }

  /// Channels of all pixels of one image.
  public var valuesPerImage: Int { size.pixels * channels }

  /// All images as the files hold them, 8 bits, [image, row, column, channel].
  ///
  /// - Throws: when they cannot be read.
  public var pixels: [UInt8] {
    get throws(DatasetError) {
      if case .memory(let pixels) = storage { return pixels }
      var all: [UInt8] = []
      all.reserveCapacity(count * valuesPerImage)
      for image in 0..<count { all += try pixels(of: image) }
      return all
    }
  }

  /// `image` as the files hold it, 8 bits, [row, column, channel].
  ///
  /// - Throws: when it cannot be read.
  public func pixels(of image: Int) throws(DatasetError) -> [UInt8] {
    var copy = [UInt8](repeating: 0, count: valuesPerImage)
    try read(image) { pixels in
      for index in pixels.indices { copy[index] = pixels[index] }
    }
    return copy
  }

  /// Lends the pixels of `image`, [row, column, channel], to `body`.
  ///
  /// - Throws: when they cannot be read.
  @inline(__always)
  func read(_ image: Int, _ body: (Span<UInt8>) -> Void) throws(DatasetError) {
    precondition(image >= 0 && image < count, "ImageDataset: image \(image) outside 0..<\(count)")
    switch storage {
    case .memory(let pixels):
      body(pixels.span.extracting((image * valuesPerImage)..<((image + 1) * valuesPerImage)))
    case .packed(let file, let records): try file.read(records[image], body)
    }
  }

  /// Has the system read `images` ahead of their use, if they are on a disk.
  public func willNeed(_ images: ArraySlice<Int>) {
    guard case .packed(let file, let records) = storage else { return }
    for image in images { file.willNeed(records[image]) }
  }

  /// Writes `images` as the model sees them to `values`, [images * pixels, channels], each 0..<`levels`.
  ///
  /// `key` says which random bits binarize; only stochastic binarization draws any. Nothing is allocated as long as
  /// `values` is not shared with another variable.
  ///
  /// - Throws: when images in a file cannot be read, or are damaged.
  public func fill(
    levels values: inout [UInt8], images: ArraySlice<Int>, key: BinarizationKey
  ) throws(DatasetError) {
    var unscaled: AreaScaling?
    try fill(levels: &values, images: images, key: key, scaledBy: &unscaled)
  }

  /// Writes `images` to the beginning of `values` as above, but, with `scaling`, first made smaller by it.
  ///
  /// - Throws: when images in a file cannot be read, or are damaged.
  public func fill(
    levels values: inout [UInt8], images: ArraySlice<Int>, key: BinarizationKey, scaledBy scaling: inout AreaScaling?
  ) throws(DatasetError) {
    precondition(
      (scaling?.source ?? size) == size && (scaling?.channels ?? channels) == channels
        && values.count >= images.count * (scaling?.target ?? size).pixels * channels,
      "ImageDataset.fill: \(values.count) values for \(images.count) images of \(scaling?.target ?? size)")
    switch binarization {
    case .none, .threshold:
      // The lower bits are dropped (as Kingma and Dhariwal do in Glow, 2018); of one bit, what is left is the threshold.
      let dropped = 8 - bits
      try copy(images, to: &values, scaledBy: &scaling) { $0 >> dropped }
    case .stochastic:
      try binarize(images, to: &values, key: key, scaledBy: &scaling)
    }
  }

  @inline(__always)
  private func copy(
    _ images: ArraySlice<Int>, to values: inout [UInt8], scaledBy scaling: inout AreaScaling?,
    _ level: (UInt8) -> UInt8
  ) throws(DatasetError) {
    var start = 0
    for image in images {
      var count = 0
      try read(image, scaledBy: &scaling) { pixels in
        for index in pixels.indices { values[start + index] = level(pixels[index]) }
        count = pixels.count
      }
      start += count
    }
  }

  private func binarize(
    _ images: ArraySlice<Int>, to values: inout [UInt8], key: BinarizationKey, scaledBy scaling: inout AreaScaling?
  ) throws(DatasetError) {
    switch key {
    case .training(let seed, let step, let slot):
      var generator = KeyedGenerator(seed: seed, purpose: .binarization, step: step, slot: slot)
      try copy(images, to: &values, scaledBy: &scaling) { Binarization.draw(value: $0, from: &generator) }
    case .evaluation(let seed):
      var start = 0
      for image in images {
        var generator = KeyedGenerator(seed: seed, purpose: .evaluationBinarization, step: image)
        var count = 0
        try read(image, scaledBy: &scaling) { pixels in
          for index in pixels.indices {
            values[start + index] = Binarization.draw(value: pixels[index], from: &generator)
          }
          count = pixels.count
        }
        start += count
      }
    }
  }

  /// Lends the pixels of `image`, made smaller by `scaling` if given, to `body`.
  @inline(__always)
  private func read(
    _ image: Int, scaledBy scaling: inout AreaScaling?, _ body: (Span<UInt8>) -> Void
  ) throws(DatasetError) {
    guard scaling != nil else { return try read(image, body) }
    try read(image) { scaling?.scale($0) }
    if let scaled = scaling?.pixels { body(scaled.span) }
  }

  /// The CRC-32 of `sizes`, 8 bytes each, and `pixels`.
  static func hash(sizes: [Int], pixels: [UInt8]) -> UInt32 {
    let header = sizes.flatMap { size in (0..<8).map { UInt8(truncatingIfNeeded: size >> (8 * $0)) } }
    return [header, pixels].reduce(0) { crc, part in
      UInt32(part.withUnsafeBufferPointer { crc32_z(UInt(crc), $0.baseAddress, z_size_t($0.count)) })
    }
  }
}
