import Foundation
import Orders

/// Numbers over the pixels of images as colours, with the scale they share: dark blue for the least, over magenta, to
/// light yellow for the largest. Lightness grows evenly, so that it reads in grey too.
public enum HeatPicture {
  /// What is drawn in one place.
  public enum Tile: Sendable {
    /// Numbers `[rows * columns]`; with `marked`, a pixel in a frame.
    case values([Double], marked: Int?)
    /// An image.
    case image(PNGImage)
  }

  private static let gap = 12
  private static let letterHeight = 9.0
  private static let lineHeight = 18
  private static let barHeight = 12
  private static let ink = Color(grey: 0.15)

  /// Draws rows of tiles of images of `size`, `scale` pixels a pixel, under `headings`, one for each column; colours go from 0
  /// to the largest number, which is written with `unit`.
  public static func draw(
    rows: [[Tile]], headings: [String], size: ImageSize, scale: Int, unit: String
  ) -> PNGImage {
    precondition(
      scale > 0 && !headings.isEmpty && rows.allSatisfy { $0.count == headings.count },
      "HeatPicture: \(rows.map(\.count)) tiles under \(headings.count) headings")
    let largest = rows.joined().reduce(0.0) { largest, tile in
      guard case .values(let values, _) = tile else { return largest }
      return values.filter(\.isFinite).reduce(largest, max)
    }
    // A heading may be wider than its tiles.
    let widths = headings.map {
      max(size.columns * scale, Int(Lettering.width(of: $0, height: letterHeight).rounded(.up)))
    }
    let ends = ["0", String(format: "%.3g \(unit)", largest)]
    let labels = ends.map { Int(Lettering.width(of: $0, height: letterHeight).rounded(.up)) }
    let content = max(widths.reduce(0, +) + gap * (widths.count - 1), labels[0] + labels[1] + 100)
    let tilesHeight = rows.count * (size.rows * scale + gap)
    var canvas = Canvas(
      size: ImageSize(rows: gap + lineHeight + tilesHeight + barHeight + gap, columns: content + 2 * gap),
      background: Color(grey: 1))
    var left = gap
    for (column, heading) in headings.enumerated() {
      write(heading, on: &canvas, x: left, y: gap)
      for (row, tiles) in rows.enumerated() {
        let top = gap + lineHeight + row * (size.rows * scale + gap)
        draw(tiles[column], on: &canvas, left: left, top: top, size: size, scale: scale, largest: largest)
      }
      left += widths[column] + gap
    }
    let top = gap + lineHeight + tilesHeight
    write(ends[0], on: &canvas, x: gap, y: top + 1)
    let bar = (gap + labels[0] + 8)..<(content + gap - labels[1] - 8)
    for x in bar {
      canvas.fillRectangle(
        x: x, y: top, width: 1, height: barHeight,
        color: .ofHeat(Double(x - bar.lowerBound) / Double(max(bar.count - 1, 1))))
    }
    write(ends[1], on: &canvas, x: bar.upperBound + 8, y: top + 1)
    return canvas.picture
  }

  private static func write(_ text: String, on canvas: inout Canvas, x: Int, y: Int) {
    Lettering.draw(text, on: &canvas, at: Point(x: Double(x), y: Double(y)), height: letterHeight, color: ink)
  }

  private static func draw(
    _ tile: Tile, on canvas: inout Canvas, left: Int, top: Int, size: ImageSize, scale: Int, largest: Double
  ) {
    for pixel in 0..<size.pixels {
      let (row, column) = (pixel / size.columns, pixel % size.columns)
      let color: Color
      switch tile {
      case .image(let image): color = Color(image[row, column])
      case .values(let values, _):
        // What is not finite is none of the scale's colours.
        color =
          values[pixel].isFinite
          ? .ofHeat(largest > 0 ? max(values[pixel], 0) / largest : 0)
          : Color(lightness: 0.7, chroma: 0.2, hueDegrees: 150)
      }
      canvas.fillRectangle(
        x: left + column * scale, y: top + row * scale, width: scale, height: scale, color: color)
    }
    guard case .values(_, let marked?) = tile else { return }
    let (x, y) = (left + marked % size.columns * scale, top + marked / size.columns * scale)
    let line = max(1, scale / 5)
    let frame = Color(lightness: 0.8, chroma: 0.2, hueDegrees: 150)
    for (dx, dy, width, height) in [
      (-line, -line, scale + 2 * line, line), (-line, scale, scale + 2 * line, line), (-line, 0, line, scale),
      (scale, 0, line, scale),
    ] {
      canvas.fillRectangle(x: x + dx, y: y + dy, width: width, height: height, color: frame)
    }
  }
}

extension Color {
  /// The colour of a share of the largest value, 0 to 1.
  static func ofHeat(_ share: Double) -> Color {
    Color(lightness: 0.16 + 0.8 * share, chroma: 0.16 * (1 - abs(2 * share - 1) * 0.6), hueDegrees: 270 + 190 * share)
  }

  /// The colour of a pixel of a picture, whose alpha is left out.
  init(_ channels: [UInt8]) {
    self.init(grey: Double(channels[0]) / 255)
    if channels.count >= 3 {
      green = Double(channels[1]) / 255
      blue = Double(channels[2]) / 255
    }
  }
}
