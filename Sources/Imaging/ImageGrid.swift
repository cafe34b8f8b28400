import Orders

/// Equal pictures side by side, with a gap around each, optionally enlarged.
public struct ImageGrid: Sendable {
  /// How many times each tile's pixel is repeated in both directions.
  public var scale: Int
  /// Pixels between tiles and around the grid, not enlarged.
  public var gap: Int
  /// Grey of the gaps.
  public var background: UInt8
  /// Rows of tiles that belong together; a wider gap follows them. Nil keeps all rows evenly spaced.
  public var rowsPerBlock: Int?

  /// A grid that enlarges tiles `scale` times and leaves `gap` pixels between them.
  public init(scale: Int = 1, gap: Int = 2, background: UInt8 = 255, rowsPerBlock: Int? = nil) {
    precondition(scale > 0 && gap >= 0 && (rowsPerBlock ?? 1) > 0, "ImageGrid: scale \(scale), gap \(gap)")
    self.scale = scale
    self.gap = gap
    self.background = background
    self.rowsPerBlock = rowsPerBlock
  }

  /// The picture of `rows` of tiles; all tiles have one size, a row may be shorter than others. It has the channels
  /// that hold those of every tile.
  public func picture(rows: [[PNGImage]]) -> PNGImage {
    let tiles = rows.joined()
    guard let tile = tiles.first?.size else { preconditionFailure("ImageGrid: no tiles") }
    let hasColor = tiles.contains { $0.channels >= 3 }
    let hasAlpha = tiles.contains { $0.channels % 2 == 0 }
    let channels = (hasColor ? 3 : 1) + (hasAlpha ? 1 : 0)
    let blank = PNGImage(size: ImageSize(rows: 1, columns: 1), color: [background]).converted(toChannels: channels)

    let columns = rows.reduce(0) { max($0, $1.count) }
    let size = ImageSize(
      rows: top(ofRow: rows.count - 1, tile: tile) + tile.rows * scale + gap,
      columns: gap + columns * (tile.columns * scale + gap))
    var picture = PNGImage(size: size, color: blank[0, 0])
    for (row, tilesOfRow) in rows.enumerated() {
      for (column, image) in tilesOfRow.enumerated() {
        precondition(image.size == tile, "ImageGrid: a tile of \(image.size) among tiles of \(tile)")
        picture.draw(
          image.converted(toChannels: channels), row: top(ofRow: row, tile: tile),
          column: gap + column * (tile.columns * scale + gap), scale: scale)
      }
    }
    return picture
  }

  private func top(ofRow row: Int, tile: ImageSize) -> Int {
    let blockGaps = rowsPerBlock.map { row / $0 * 3 * gap } ?? 0
    return gap + row * (tile.rows * scale + gap) + blockGaps
  }
}

extension ImageGrid {
  /// The picture of completed images, in blocks of up to `imagesPerBlock` columns: the first row is what the model was
  /// given, the last the true images, the rows between one completion each.
  ///
  /// `contexts` and `truths` have one picture per image; `completions` has a list like that for every completion.
  public static func completions(
    contexts: [PNGImage], completions: [[PNGImage]], truths: [PNGImage], imagesPerBlock: Int = 16, scale: Int = 3
  ) -> PNGImage {
    let layers = [contexts] + completions + [truths]
    precondition(
      layers.allSatisfy { $0.count == contexts.count }, "ImageGrid: \(layers.map(\.count)) pictures in the rows")
    var rows: [[PNGImage]] = []
    for start in stride(from: 0, to: contexts.count, by: imagesPerBlock) {
      rows += layers.map { Array($0[start..<min(start + imagesPerBlock, contexts.count)]) }
    }
    return ImageGrid(scale: scale, gap: 2 * scale, rowsPerBlock: layers.count).picture(rows: rows)
  }
}
