import Imaging
import Model
import Orders

/// Why PNG files cannot be compressed with a model.
enum PictureError: Error, CustomStringConvertible {
  case otherSize(path: String, found: ImageSize, first: String, expected: ImageSize)
  case otherChannels(path: String, found: Int, expected: Int)
  case betweenLevels(path: String, row: Int, column: Int, value: UInt8, bits: Int)

  var description: String {
    switch self {
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

  /// The levels `[images, pixels, channels]` of the PNG files at `paths`, and the size of the pictures.
  ///
  /// Each value must be one that `pictures` writes for some level; with `quantizes`, lower bits are dropped, as those of
  /// data sets are.
  ///
  /// - Throws: when a file cannot be read or its picture is not one that the model is of.
  func read(_ paths: [String], quantizes: Bool) throws -> (levels: [UInt8], size: ImageSize) {
    var levels: [UInt8] = []
    var size = ImageSize(rows: 1, columns: 1)
    for (index, path) in paths.enumerated() {
      let picture = try PNGImage(contentsOf: path)
      if index == 0 { size = picture.size }
      guard picture.size == size else {
        throw PictureError.otherSize(path: path, found: picture.size, first: paths[0], expected: size)
      }
      guard picture.channels == channels else {
        throw PictureError.otherChannels(path: path, found: picture.channels, expected: channels)
      }
      let own = picture.pixels.map { $0 >> (8 - bits) }
      if !quantizes { try checkLossless(picture, own, path: path) }
      levels += own
    }
    return (levels, size)
  }

  /// The pictures of `levels` `[images, pixels, channels]`.
  func pictures(_ levels: [UInt8], size: ImageSize) -> [PNGImage] {
    stride(from: 0, to: levels.count, by: size.pixels * channels).map { start in
      PNGImage(
        size: size, channels: channels, levels: Array(levels[start..<(start + size.pixels * channels)]), bitDepth: bits)
    }
  }

  private func checkLossless(_ picture: PNGImage, _ levels: [UInt8], path: String) throws(PictureError) {
    let restored = PNGImage(size: picture.size, channels: channels, levels: levels, bitDepth: bits)
    for index in levels.indices where restored.pixels[index] != picture.pixels[index] {
      let (row, column) = (index / channels).quotientAndRemainder(dividingBy: picture.size.columns)
      throw .betweenLevels(path: path, row: row, column: column, value: picture.pixels[index], bits: bits)
    }
  }
}
