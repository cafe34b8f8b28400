import Tensors

/// Normalization of a masked convolution's output at each location by itself.
public enum LocationNormalization: Sendable {
  /// The identity (weight normalization acts on the weights).
  case none
  /// Division by the location's number of visible taps (at least 1).
  case orderRescale
  /// Positional normalization (Li et al. 2019): y = (x - mean) / sqrt(variance + 1e-5) over the channels of a location,
  /// with the unbiased variance and without parameters.
  case positional

  /// Normalizes `columns` channels in place and leaves in `scale` `[rows]` what each row was multiplied by.
  ///
  /// `counts` are the visible taps of each pixel of an image; rows are pixels, image after image.
  public func forward(x: Matrix, columns: Int, counts: [Int32], scale: Matrix, pool: ThreadPool) {
    if case .none = self { return }
    pool.run(forwardRows(x: x, columns: columns, counts: counts, scale: scale))
  }

  func forwardRows(x: Matrix, columns: Int, counts: [Int32], scale: Matrix) -> NormalizationForward {
    precondition(
      scale.count == x.rows && columns <= x.columns && !counts.isEmpty,
      "LocationNormalization.forward: scale \(scale.count)")
    return NormalizationForward(
      normalization: self, rows: x.rows, channels: columns, stride: x.columns, counts: counts, x: x.base,
      scale: scale.base)
  }

  /// Turns dy into dx in place, in the first `columns` channels of `dy`; `y` holds the normalized values in its first
  /// `columns` channels.
  ///
  /// positional: dx = scale * (dy - mean(dy) - y * sum(dy * y) / (C - 1)); rescale: dx = scale * dy.
  public func backward(y: Matrix, columns: Int, scale: Matrix, dy: Matrix, pool: ThreadPool) {
    if case .none = self { return }
    pool.run(backwardRows(y: y, columns: columns, scale: scale, dy: dy))
  }

  func backwardRows(y: Matrix, columns: Int, scale: Matrix, dy: Matrix) -> NormalizationBackward {
    precondition(
      scale.count == y.rows && dy.rows == y.rows && columns <= y.columns && columns <= dy.columns,
      "LocationNormalization.backward: y [\(y.rows), \(y.columns)], dy [\(dy.rows), \(dy.columns)]")
    return NormalizationBackward(
      normalization: self, rows: y.rows, channels: columns, yStride: y.columns, stride: dy.columns, y: y.base,
      scale: scale.base, dy: dy.base)
  }

  static let epsilon: Float = 1e-5
}

struct NormalizationForward: RowWork {
  let normalization: LocationNormalization
  let rows: Int
  let channels: Int
  let stride: Int
  let counts: [Int32]
  let x: UnsafeMutablePointer<Float>
  let scale: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let x = x + row * stride
    switch normalization {
    case .none: return
    case .orderRescale:
      let factor = 1 / Float(max(counts[row % counts.count], 1))
      scale[row] = factor
      forEachVector(channels) { first, lanes in
        x.store(x.vector(at: first, lanes: lanes) * factor, at: first, lanes: lanes)
      }
    case .positional:
      var sum = Vector.zero
      forEachVector(channels) { first, lanes in sum += x.vector(at: first, lanes: lanes) }
      let mean = sum.sum() / Float(channels)
      var squares = Vector.zero
      forEachVector(channels) { first, lanes in
        let centred = x.vector(at: first, lanes: lanes) - mean
        x.store(centred, at: first, lanes: lanes)
        let kept = x.vector(at: first, lanes: lanes)
        squares = squares.addingProduct(kept, kept)
      }
      let factor = 1 / (squares.sum() / Float(channels - 1) + LocationNormalization.epsilon).squareRoot()
      scale[row] = factor
      forEachVector(channels) { first, lanes in
        x.store(x.vector(at: first, lanes: lanes) * factor, at: first, lanes: lanes)
      }
    }
  }
}

struct NormalizationBackward: RowWork {
  let normalization: LocationNormalization
  let rows: Int
  let channels: Int
  let yStride: Int
  let stride: Int
  let y: UnsafePointer<Float>
  let scale: UnsafePointer<Float>
  let dy: UnsafeMutablePointer<Float>

  @inline(__always)
  func run(row: Int) {
    let y = y + row * yStride
    let dy = dy + row * stride
    switch normalization {
    case .none: return
    case .orderRescale:
      forEachVector(channels) { first, lanes in
        dy.store(dy.vector(at: first, lanes: lanes) * scale[row], at: first, lanes: lanes)
      }
    case .positional:
      var sum = Vector.zero
      var product = Vector.zero
      forEachVector(channels) { first, lanes in
        let gradient = dy.vector(at: first, lanes: lanes)
        sum += gradient
        product = product.addingProduct(gradient, y.vector(at: first, lanes: lanes))
      }
      let mean = sum.sum() / Float(channels)
      let slope = product.sum() / Float(channels - 1)
      forEachVector(channels) { first, lanes in
        let centred = dy.vector(at: first, lanes: lanes) - mean
        let gradient = (centred - y.vector(at: first, lanes: lanes) * slope) * scale[row]
        dy.store(gradient, at: first, lanes: lanes)
      }
    }
  }
}
