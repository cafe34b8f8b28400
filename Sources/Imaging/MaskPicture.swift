import Orders

/// A local mask as a mosaic: at every location of the image its own window of taps.
///
/// Visible taps are blue, hidden ones pale; the centre tap is orange when visible and grey when hidden.
public enum MaskPicture {
  /// Draws the mask `visible`, `[taps, pixels]` with 1 where a location may read a tap, of `window` on images of `size`,
  /// with `tapSide` pixels a tap, in three channels. The window's dilation is not drawn.
  public static func draw(visible: [UInt8], size: ImageSize, window: KernelWindow, tapSide: Int = 5) -> PNGImage {
    precondition(
      visible.count == window.taps * size.pixels,
      "MaskPicture: \(visible.count) values for \(window.taps) taps of \(size) pixels")
    precondition(tapSide > 0, "MaskPicture: taps of \(tapSide) pixels")
    let gap = tapSide
    let cellSide = window.side * tapSide + gap
    var canvas = Canvas(
      size: ImageSize(rows: size.rows * cellSide + gap, columns: size.columns * cellSide + gap),
      background: Color(grey: 1))
    let line = tapSide >= 4 ? 1 : 0
    for pixel in 0..<size.pixels {
      for tap in 0..<window.taps {
        let isVisible = visible[tap * size.pixels + pixel] != 0
        let isCenter = window.offset(of: tap) == (row: 0, column: 0)
        let color =
          switch (isVisible, isCenter) {
          case (true, false): Color(lightness: 0.55, chroma: 0.15, hueDegrees: 255)
          case (true, true): Color(lightness: 0.7, chroma: 0.17, hueDegrees: 55)
          case (false, false): Color(grey: 0.92)
          case (false, true): Color(grey: 0.55)
          }
        canvas.fillRectangle(
          x: gap + pixel % size.columns * cellSide + tap % window.side * tapSide,
          y: gap + pixel / size.columns * cellSide + tap / window.side * tapSide,
          width: tapSide - line, height: tapSide - line, color: color)
      }
    }
    return canvas.picture
  }
}
