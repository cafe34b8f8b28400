import Orders

// Pictures cut, made smaller and made grey, in integer arithmetic: the same bits on every machine.

extension PNGImage {
  /// The largest part of the picture with the proportions of `size`, from its middle. Where the rest is odd, one pixel
  /// more is cut at the bottom or on the right.
  public func centerCrop(toProportionsOf size: ImageSize) -> PNGImage {
    let isWider = columns * size.rows > rows * size.columns
    let part =
      isWider
      ? ImageSize(rows: rows, columns: max(1, rows * size.columns / size.rows))
      : ImageSize(rows: max(1, columns * size.rows / size.columns), columns: columns)
    guard part != self.size else { return self }
    let (top, left) = ((rows - part.rows) / 2, (columns - part.columns) / 2)
    var values: [UInt8] = []
    values.reserveCapacity(part.pixels * channels)
    for row in top..<(top + part.rows) {
      let start = (row * columns + left) * channels
      values += pixels[start..<(start + part.columns * channels)]
    }
    return PNGImage(size: part, channels: channels, pixels: values)
  }

  /// The picture made smaller to `size`, which is no larger in either direction, as `AreaScaling` does.
  public func areaResized(to size: ImageSize) -> PNGImage {
    if size == self.size { return self }
    var scaling = AreaScaling(from: self.size, to: size, channels: channels)
    scaling.scale(pixels.span)
    return PNGImage(size: size, channels: channels, pixels: scaling.pixels)
  }

  /// The picture in grey: luma of ITU-R BT.601, rounded to nearest. Alpha stays.
  public var grey: PNGImage {
    guard channels >= 3 else { return self }
    var values: [UInt8] = []
    values.reserveCapacity(size.pixels * (channels - 2))
    for start in stride(from: 0, to: pixels.count, by: channels) {
      let (red, green, blue) = (Int(pixels[start]), Int(pixels[start + 1]), Int(pixels[start + 2]))
      values.append(UInt8((299 * red + 587 * green + 114 * blue + 500) / 1000))
      if channels == 4 { values.append(pixels[start + 3]) }
    }
    return PNGImage(size: size, channels: channels - 2, pixels: values)
  }

  /// The picture without its alpha channel; nil if it is not opaque everywhere.
  public var withoutOpaqueAlpha: PNGImage? {
    guard channels % 2 == 0 else { return self }
    var values: [UInt8] = []
    values.reserveCapacity(size.pixels * (channels - 1))
    for start in stride(from: 0, to: pixels.count, by: channels) {
      guard pixels[start + channels - 1] == 255 else { return nil }
      values += pixels[start..<(start + channels - 1)]
    }
    return PNGImage(size: size, channels: channels - 1, pixels: values)
  }
}
