/// Derivatives of functions that are computed in double precision, from their values alone.
public enum CentralDifference {
  /// The gradient of `function` at `point`: (f(x + h) - f(x - h)) / 2h for each element, with h = `step`.
  ///
  /// For functions of magnitude 1 with derivatives of magnitude 1, the default step makes an error of about 1e-10 (the
  /// square of the step) and as much by rounding.
  public static func gradient(
    at point: [Double], step: Double = 1e-5, of function: ([Double]) -> Double
  ) -> [Double] {
    var moved = point
    return point.indices.map { index in
      moved[index] = point[index] + step
      let above = function(moved)
      moved[index] = point[index] - step
      let below = function(moved)
      moved[index] = point[index]
      return (above - below) / (2 * step)
    }
  }
}
