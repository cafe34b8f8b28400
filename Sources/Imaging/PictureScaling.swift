import Orders

// Pictures made smaller, in integer arithmetic: the same bits on every machine.

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

  /// The picture made smaller to `size`, which is no larger in either direction: each value is the mean over the area
  /// that the pixel covers, exact and rounded to nearest, halves up.
  ///
  /// Of `n` pixels in a row that become `m`, pixel i of the result covers [i n, (i + 1) n) and pixel j of the source
  /// [j m, (j + 1) m), in units of 1 / m of a source pixel: the overlaps are integers, and so are all sums.
  public func areaResized(to size: ImageSize) -> PNGImage {
    precondition(
      size.rows <= rows && size.columns <= columns && size.pixels > 0, "PNGImage: \(self.size) made to \(size)")
    if size == self.size { return self }
    let across = Self.overlaps(from: columns, to: size.columns)
    let down = Self.overlaps(from: rows, to: size.rows)
    let total = rows * columns
    let rowValues = size.columns * channels
    var narrowed = [Int](repeating: 0, count: rowValues)
    var sums = [Int](repeating: 0, count: rowValues)
    var result: [UInt8] = []
    result.reserveCapacity(size.pixels * channels)
    var narrowedRow = -1
    for targetRow in 0..<size.rows {
      for index in 0..<rowValues { sums[index] = 0 }
      for (offset, rowWeight) in down[targetRow].weights.enumerated() {
        let row = down[targetRow].first + offset
        // A source row that two rows of the result share is narrowed once.
        if row != narrowedRow {
          narrow(row, across, into: &narrowed)
          narrowedRow = row
        }
        for index in 0..<rowValues { sums[index] += rowWeight * narrowed[index] }
      }
      for sum in sums { result.append(UInt8((2 * sum + total) / (2 * total))) }
    }
    return PNGImage(size: size, channels: channels, pixels: result)
  }

  private func narrow(_ row: Int, _ across: [(first: Int, weights: [Int])], into sums: inout [Int]) {
    for (target, overlap) in across.enumerated() {
      for channel in 0..<channels {
        var sum = 0
        var source = (row * columns + overlap.first) * channels + channel
        for weight in overlap.weights {
          sum += weight * Int(pixels[source])
          source += channels
        }
        sums[target * channels + channel] = sum
      }
    }
  }

  /// For each of `m` pixels that `n` become, the first that it covers and how much of each it covers, in units of 1 / m.
  private static func overlaps(from n: Int, to m: Int) -> [(first: Int, weights: [Int])] {
    (0..<m).map { target in
      let (start, end) = (target * n, (target + 1) * n)
      let sources = (start / m)...((end - 1) / m)
      return (sources.lowerBound, sources.map { min(end, ($0 + 1) * m) - max(start, $0 * m) })
    }
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
