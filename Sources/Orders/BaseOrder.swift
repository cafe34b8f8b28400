/// The generation orders that are computed from an image's size. Raw values are the names used in configurations.
public enum BaseOrder: String, CaseIterable, Codable, Sendable {
  /// Row by row, each from left to right.
  case rasterScan = "raster_scan"
  /// Row by row, odd rows from right to left.
  case sCurve = "s_curve"
  /// The Hilbert curve; square images whose side is a power of two only.
  case hilbert
  /// The generalized Hilbert curve, on any rectangle.
  case generalizedHilbert = "gilbert2d"
  /// The S-curve around the centre quarter, then the S-curve within it.
  case sCurveCenterQuarterLast = "s_curve_center_quarter_last"

  /// Whether there is such an order of a `size` image: always, but for the Hilbert curve.
  public func exists(on size: ImageSize) -> Bool {
    self != .hilbert || HilbertCurve.exists(on: size)
  }

  /// The pixels of a `size` image (row * columns + column) along this order, which exists on that size.
  package func pixels(of size: ImageSize) -> [Int] {
    switch self {
    case .rasterScan: return RasterScan.pixels(of: size)
    case .sCurve: return SCurve.pixels(of: size)
    case .hilbert: return HilbertCurve.pixels(of: size)
    case .generalizedHilbert: return GeneralizedHilbertCurve.pixels(of: size)
    case .sCurveCenterQuarterLast: return CenterQuarterLast.pixels(of: size)
    }
  }
}
