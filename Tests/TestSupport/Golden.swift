import Checkpoints
import Tensors

/// Golden tensors as the kernels lay them out, and how far a result may be from them.
public enum Golden {
  /// Values `[images, channels, rows, columns]` of a fixture as activations `[images * pixels, channels]`.
  public static func activations(_ file: SafetensorsFile, _ name: String) throws -> Matrix {
    let tensor = try file.tensor(name)
    let values = try file.doubles(name)
    let (images, channels) = (tensor.shape[0], tensor.shape[1])
    let pixels = tensor.shape[2...].reduce(1, *)
    let matrix = Matrix(rows: images * pixels, columns: channels)
    for image in 0..<images {
      for channel in 0..<channels {
        for pixel in 0..<pixels {
          matrix[image * pixels + pixel, channel] = Float(values[(image * channels + channel) * pixels + pixel])
        }
      }
    }
    return matrix
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

  /// Single layers in single precision: sums of up to a few hundred products round to about 1e-6.
  public static let layerTolerance = 2e-5
  /// Whole models: rounding grows through some dozen layers.
  public static let modelTolerance = 1e-4
}
