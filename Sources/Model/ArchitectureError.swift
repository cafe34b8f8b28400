import Orders

/// What a network's architecture does not allow.
public enum ArchitectureError: Error, Equatable, CustomStringConvertible {
  /// PixelCNN++ has one order.
  case notRasterScan(order: String)
  /// In the raster scan, given pixels come after missing ones.
  case observedAfterMissing
  /// PixelCNN++ halves the sides of an image twice.
  case indivisibleSides(ImageSize)
  /// Something is only there for networks under local masks.
  case needsLocalMasks(String)

  /// What is wrong, and what to do.
  public var description: String {
    switch self {
    case .notRasterScan(let order):
      return "order \(order) cannot be had: the network is a pixelcnn_pp, whose only order is raster_scan; an lmconv "
        + "network takes any"
    case .observedAfterMissing:
      return "the network is a pixelcnn_pp, which predicts pixels from those before them in the raster scan alone, and "
        + "here given pixels come after missing ones; ask for bottom, or take an lmconv network"
    case .indivisibleSides(let size):
      return "images are \(size), but a pixelcnn_pp network halves their sides twice; take images whose sides are "
        + "multiples of 4, or an lmconv network"
    case .needsLocalMasks(let what):
      return "\(what) takes lmconv networks alone, and this one is a pixelcnn_pp; evaluate, score, heatmap, sample and "
        + "complete take both"
    }
  }
}
