import Checkpoints
import Tensors

/// Golden tensors as the kernels lay them out, and how far a result may be from them.
public enum Golden {
  /// Values `[images, channels, rows, columns]` of a fixture as activations `[images * pixels, channels]`.
  public static func activations(_ file: SafetensorsFile, _ name: String) throws -> Matrix {
    let rows = try pixelRows(file, name)
    let matrix = Matrix(rows: rows.count, columns: try file.tensor(name).shape[1])
    for (row, values) in rows.enumerated() {
      for (column, value) in values.enumerated() { matrix[row, column] = Float(value) }
    }
    return matrix
  }

  /// Values `[images, channels, rows, columns]` of a fixture in double precision, the channels of one pixel together.
  public static func pixelRows(_ file: SafetensorsFile, _ name: String) throws -> [[Double]] {
    let shape = try file.tensor(name).shape
    let values = try file.doubles(name)
    let (images, channels) = (shape[0], shape[1])
    let pixels = shape[2...].reduce(1, *)
    return (0..<(images * pixels)).map { row in
      (0..<channels).map { values[(row / pixels * channels + $0) * pixels + row % pixels] }
    }
  }

  /// Images in [-1, 1], `[images, channels, rows, columns]`, as levels `[images, pixels, channels]` in 0..<`levels`.
  public static func levels(_ file: SafetensorsFile, _ name: String, levels: Int) throws -> [UInt8] {
    try pixelRows(file, name).flatMap { row in
      row.map { UInt8((($0 + 1) / 2 * Double(levels - 1)).rounded()) }
    }
  }

  /// The largest difference between `values` and `golden`, relative to the largest magnitude of `golden`.
  ///
  /// Infinite when the counts differ or anything is not a number, so that no comparison passes by accident.
  public static func relativeError(_ values: [Float], _ golden: [Double]) -> Double {
    relativeError(values.map(Double.init), golden)
  }

  /// The largest difference between `values` and `golden`, relative to the largest magnitude of `golden`.
  public static func relativeError(_ values: [Double], _ golden: [Double]) -> Double {
    guard values.count == golden.count, !golden.isEmpty else { return .infinity }
    var largest = 0.0
    var difference = 0.0
    for (value, expected) in zip(values, golden) {
      guard value.isFinite && expected.isFinite else { return .infinity }
      largest = max(largest, abs(expected))
      difference = max(difference, abs(value - expected))
    }
    return difference / max(largest, 1e-30)
  }

  /// Elementwise functions and normalizations in single precision: an exponential (1.5e-7) and a handful of roundings
  /// (6e-8 each).
  public static let elementTolerance = 2e-6
  /// Single layers in single precision: sums of up to a few hundred products round to about 1e-6.
  public static let layerTolerance = 2e-5
  /// Whole models: rounding grows through some dozen layers.
  public static let modelTolerance = 1e-4
}
