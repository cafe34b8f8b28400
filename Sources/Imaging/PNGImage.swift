import Orders

/// An 8-bit picture: grey, grey with alpha, RGB or RGBA.
///
/// Layout: row-major, channels last, `[rows, columns, channels]`. Colour values are sRGB, alpha is not premultiplied.
public struct PNGImage: Equatable, Sendable {
  /// Rows and columns.
  public let size: ImageSize
  /// 1 grey, 2 grey with alpha, 3 RGB, 4 RGBA.
  public let channels: Int
  /// `[rows, columns, channels]`
  public private(set) var pixels: [UInt8]

  /// Number of rows.
  public var rows: Int { size.rows }
  /// Number of columns.
  public var columns: Int { size.columns }

  /// A picture of `pixels`, `[rows, columns, channels]`.
  public init(size: ImageSize, channels: Int, pixels: [UInt8]) {
    precondition((1...4).contains(channels), "PNGImage: \(channels) channels, needs 1 to 4")
    precondition(
      pixels.count == size.pixels * channels,
      "PNGImage: \(pixels.count) values for \(size) pixels of \(channels) channels")
    self.size = size
    self.channels = channels
    self.pixels = pixels
  }

  /// A picture of one colour; `color` has one value per channel.
  public init(size: ImageSize, color: [UInt8]) {
    self.init(size: size, channels: color.count, pixels: (0..<size.pixels).flatMap { _ in color })
  }

  /// A picture of the levels 0..<2^`bitDepth` of a data set, spread evenly over 0...255.
  ///
  /// `levels` is `[rows, columns, channels]`; `bitDepth` is 1...8. The ends are exact: level 0 is black and the highest
  /// is white; levels between are rounded to nearest.
  public init(size: ImageSize, channels: Int, levels: [UInt8], bitDepth: Int) {
    precondition((1...8).contains(bitDepth), "PNGImage: bit depth \(bitDepth), needs 1 to 8")
    self.init(
      size: size, channels: channels, pixels: levels.map { Self.value(ofLevel: $0, bitDepth: bitDepth) })
  }

  /// The value that shows `level` of 0..<2^`bitDepth`: levels are spread evenly over 0...255 and rounded to nearest.
  public static func value(ofLevel level: UInt8, bitDepth: Int) -> UInt8 {
    let highest = (1 << bitDepth) - 1
    precondition(level <= highest, "PNGImage: level \(level) of \(bitDepth)-bit data, the highest is \(highest)")
    return UInt8((Int(level) * 255 * 2 + highest) / (2 * highest))
  }

  /// The channels of the pixel at (`row`, `column`).
  public subscript(row: Int, column: Int) -> [UInt8] {
    get { Array(pixels[offset(row, column)..<offset(row, column) + channels]) }
    set {
      precondition(newValue.count == channels, "PNGImage: \(newValue.count) values for \(channels) channels")
      pixels.replaceSubrange(offset(row, column)..<offset(row, column) + channels, with: newValue)
    }
  }

  private func offset(_ row: Int, _ column: Int) -> Int {
    precondition(
      row >= 0 && row < rows && column >= 0 && column < columns, "PNGImage: pixel (\(row), \(column)) of \(size)")
    return (row * columns + column) * channels
  }

  /// The same picture with at least the colour and alpha that `channels` has: grey is repeated, alpha is opaque.
  ///
  /// `channels` may not drop colour or alpha that the picture has.
  public func converted(toChannels target: Int) -> PNGImage {
    if target == channels { return self }
    let hasAlpha = channels % 2 == 0
    precondition(
      (1...4).contains(target) && (target >= 3 || channels < 3) && (target % 2 == 0 || !hasAlpha),
      "PNGImage: \(channels) channels to \(target)")
    let colors = target >= 3 ? 3 : 1
    var converted: [UInt8] = []
    converted.reserveCapacity(size.pixels * target)
    for start in stride(from: 0, to: pixels.count, by: channels) {
      for color in 0..<colors { converted.append(pixels[start + (channels >= 3 ? color : 0)]) }
      if target % 2 == 0 { converted.append(hasAlpha ? pixels[start + channels - 1] : 255) }
    }
    return PNGImage(size: size, channels: target, pixels: converted)
  }

  /// Copies `tile`, which has the same channels, with its top left pixel at (`row`, `column`), each of its pixels
  /// repeated `scale` times in both directions.
  mutating func draw(_ tile: PNGImage, row: Int, column: Int, scale: Int) {
    precondition(tile.channels == channels, "PNGImage.draw: \(tile.channels) channels into \(channels)")
    precondition(
      row >= 0 && column >= 0 && row + tile.rows * scale <= rows && column + tile.columns * scale <= columns,
      "PNGImage.draw: a tile of \(tile.size) x \(scale) at (\(row), \(column)) of \(size)")
    for tileRow in 0..<tile.rows * scale {
      var target = ((row + tileRow) * columns + column) * channels
      for tileColumn in 0..<tile.columns * scale {
        let source = (tileRow / scale * tile.columns + tileColumn / scale) * channels
        for channel in 0..<channels { pixels[target + channel] = tile.pixels[source + channel] }
        target += channels
      }
    }
  }
}
