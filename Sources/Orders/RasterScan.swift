/// Row by row, each from left to right.
enum RasterScan {
  static func pixels(of size: ImageSize) -> [Int] { Array(0..<size.pixels) }
}

extension GenerationOrder {
  /// Whether it is the raster scan itself.
  public var isRasterScan: Bool { pixels.indices.allSatisfy { pixels[$0] == $0 } }
}
