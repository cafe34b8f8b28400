/// Row by row, each from left to right.
enum RasterScan {
  static func pixels(of size: ImageSize) -> [Int] { Array(0..<size.pixels) }
}
