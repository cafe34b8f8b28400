import Tensors

/// Caches of activations are `[pixels * images, columns]`: a pixel's images follow each other, so that one location of all
/// images is one matrix.
extension Matrix {
  /// The rows of `pixel` in a cache of `images` images.
  func rows(of pixel: Int, images: Int) -> Matrix {
    Matrix(buffer, offset: offset + pixel * images * columns, rows: images, columns: columns)
  }

  /// Writes the levels of `pixel`, `[images, channels]`, times `scale` less 1, to a cache of the network's input, whose last
  /// column stays as it is.
  func setPixel(_ pixel: Int, images: Int, levels: (_ image: Int, _ channel: Int) -> UInt8, scale: Float) {
    for image in 0..<images {
      for channel in 0..<(columns - 1) {
        self[pixel * images + image, channel] = Float(levels(image, channel)) * scale - 1
      }
    }
  }
}
