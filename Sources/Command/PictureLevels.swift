import Imaging
import Model
import Orders

/// Why pictures cannot be used with a model.
enum PictureError: Error, CustomStringConvertible {
  case noPictures(path: String)
  case unreadableFolder(path: String, reason: String)
  case levelsNotPixels(path: String, largest: UInt8, bits: Int)
  case sizeOfOtherModel(path: String, found: ImageSize, expected: ImageSize)
  case otherSize(path: String, found: ImageSize, first: String, expected: ImageSize)
  case otherChannels(path: String, found: Int, expected: Int)
  case betweenLevels(path: String, row: Int, column: Int, value: UInt8, bits: Int)

  var description: String {
    switch self {
    case .noPictures(let path): return "\(path): no files that end in .png, .jpg, .jpeg or .npy"
    case .unreadableFolder(let path, let reason): return "\(path): \(reason)"
    case .levelsNotPixels(let path, let largest, let bits):
      return "\(path): no value above \(largest), these look like levels of \(bits) bit; pixels are 0 to 255, so "
        + "multiply the array by \(255 / ((1 << bits) - 1)) first"
    case .sizeOfOtherModel(let path, let found, let expected):
      return "\(path): \(found) pixels, this model was trained on \(expected)"
    case .otherSize(let path, let found, let first, let expected):
      return "\(path) has \(found) pixels, \(first) has \(expected); all must have one size"
    case .otherChannels(let path, let found, let expected):
      let kinds = ["grey", "grey with alpha", "RGB", "RGB with alpha"]
      return "\(path) is \(kinds[found - 1]), this model is of \(kinds[expected - 1]) images"
    case .betweenLevels(let path, let row, let column, let value, let bits):
      return "\(path): value \(value) at (\(row), \(column)) is none of the \(1 << bits) levels of this model, which "
        + "would lose it; pass --quantize to drop the bits that the model does not know"
    }
  }
}

/// Pictures as a model sees them, and back.
struct PictureLevels {
  /// Channels of a pixel.
  let channels: Int
  /// Bits of each channel.
  let bits: Int

  /// Pictures for the network of `model`.
  init(_ model: ModelConfiguration) {
    channels = model.channels
    bits = model.distribution.levels.trailingZeroBitCount
  }

  /// Pictures of `channels` channels of `bits` bits.
  init(channels: Int, bits: Int) {
    self.channels = channels
    self.bits = bits
  }

  /// The levels `[images, pixels, channels]` of the pictures that `paths` name, and their size.
  ///
  /// Each value must be one that `pictures` writes for some level; with `quantizes`, lower bits are dropped, as those of
  /// data sets are.
  ///
  /// - Throws: when a file cannot be read or its picture is not one that the model is of.
  func read(_ paths: [String], quantizes: Bool) throws -> (levels: [UInt8], size: ImageSize) {
    let pictures = try Pictures(paths, channels: channels, bits: bits)
    let levels = pictures.pixels.map { $0 >> (8 - bits) }
    if !quantizes { try checkLossless(pictures, levels) }
    return (levels, pictures.size)
  }

  /// The pictures of `levels` `[images, pixels, channels]`.
  func pictures(_ levels: [UInt8], size: ImageSize) -> [PNGImage] {
    stride(from: 0, to: levels.count, by: size.pixels * channels).map { start in
      PNGImage(
        size: size, channels: channels, levels: Array(levels[start..<(start + size.pixels * channels)]), bitDepth: bits)
    }
  }

  private func checkLossless(_ pictures: Pictures, _ levels: [UInt8]) throws(PictureError) {
    for index in levels.indices
    where PNGImage.value(ofLevel: levels[index], bitDepth: bits) != pictures.pixels[index] {
      let (image, place) = (index / channels).quotientAndRemainder(dividingBy: pictures.size.pixels)
      let (row, column) = place.quotientAndRemainder(dividingBy: pictures.size.columns)
      throw .betweenLevels(
        path: pictures.names[image], row: row, column: column, value: pictures.pixels[index], bits: bits)
    }
  }
}
