import Orders
import Tensors

/// Generation orders that are measured: from few different neighbourhoods to many.
public enum BenchmarkOrder: String, CaseIterable, Codable, Sendable {
  /// Row by row.
  case rasterScan = "raster_scan"
  /// Row by row, every other one backwards.
  case sCurve = "s_curve"
  /// Along a Hilbert curve.
  case hilbert
  /// A random permutation.
  case random

  /// The order for images of `size`.
  ///
  /// - Throws: when there is none.
  public func order(size: ImageSize) throws -> GenerationOrder {
    switch self {
    case .rasterScan: return try GenerationOrder(base: .rasterScan, size: size)
    case .sCurve: return try GenerationOrder(base: .sCurve, size: size)
    case .hilbert: return try GenerationOrder(base: .hilbert, size: size)
    case .random:
      var generator = KeyedGenerator(seed: 1, purpose: .generationOrder)
      return try GenerationOrder(size: size, pixels: generator.permutation(of: size.pixels))
    }
  }
}
