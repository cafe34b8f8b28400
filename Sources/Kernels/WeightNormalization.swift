import Tensors

/// Weight normalization (Salimans and Kingma 2016): w = g * v / |v| for each output channel. v and w are `Panels` with
/// `rows` = taps * inputs rows in each panel.
public enum WeightNormalization {
  /// Overwrites `weight`.
  public static func forward(direction v: Matrix, gain g: Matrix, weight: Matrix, outputs: Int, pool: ThreadPool) {
    check(v, g, weight, outputs)
    let panels = Panels.count(outputs: outputs)
    pool.run(
      Forward(
        panels: panels, rows: v.rows / panels, outputs: outputs, v: v.base, g: g.base, weight: weight.base))
  }

  /// dg = dw . v / |v| and dv = g / |v| * (dw - dg * v / |v|); overwrites `dDirection` (which may be `dWeight` itself)
  /// and `dGain`.
  public static func backward(
    direction v: Matrix, gain g: Matrix, dWeight: Matrix, dDirection: Matrix, dGain: Matrix, outputs: Int,
    pool: ThreadPool
  ) {
    check(v, g, dWeight, outputs)
    check(v, dGain, dDirection, outputs)
    let panels = Panels.count(outputs: outputs)
    pool.run(
      Backward(
        panels: panels, rows: v.rows / panels, outputs: outputs, v: v.base, g: g.base, dWeight: dWeight.base,
        dv: dDirection.base, dg: dGain.base))
  }

  private static func check(_ v: Matrix, _ g: Matrix, _ weight: Matrix, _ outputs: Int) {
    precondition(
      v.columns == Panels.width && weight.count == v.count && g.count >= outputs
        && v.rows % Panels.count(outputs: outputs) == 0,
      "WeightNormalization: v [\(v.rows), \(v.columns)], g \(g.count), weight \(weight.count), \(outputs) outputs")
  }

  /// 1 / |v| of eight output channels of a panel; 0 in the padding, where v is zero.
  @inline(__always)
  fileprivate static func inverseNorm(_ v: UnsafePointer<Float>, rows: Int, offset: Int) -> Vector {
    var squares = Vector.zero
    for row in 0..<rows {
      let value = v.vector(at: row * Panels.width + offset)
      squares = squares.addingProduct(value, value)
    }
    let inverse = Vector(repeating: 1) / squares.squareRoot()
    return inverse.replacing(with: 0, where: squares .== 0)
  }

  private struct Forward: TiledWork {
    let panels: Int
    let rows: Int
    let outputs: Int
    let v: UnsafePointer<Float>
    let g: UnsafePointer<Float>
    let weight: UnsafeMutablePointer<Float>

    var tiles: Int { panels }

    func run(tile: Int, thread: Int) {
      let v = v + tile * rows * Panels.width
      let weight = weight + tile * rows * Panels.width
      forEachVector(min(Panels.width, outputs - tile * Panels.width)) { offset, lanes in
        let gain = g.vector(at: tile * Panels.width + offset, lanes: lanes)
        let factor = gain * inverseNorm(v, rows: rows, offset: offset)
        for row in 0..<rows {
          weight.store(v.vector(at: row * Panels.width + offset) * factor, at: row * Panels.width + offset)
        }
      }
    }
  }

  private struct Backward: TiledWork {
    let panels: Int
    let rows: Int
    let outputs: Int
    let v: UnsafePointer<Float>
    let g: UnsafePointer<Float>
    let dWeight: UnsafePointer<Float>
    let dv: UnsafeMutablePointer<Float>
    let dg: UnsafeMutablePointer<Float>

    var tiles: Int { panels }

    func run(tile: Int, thread: Int) {
      let begin = tile * rows * Panels.width
      let v = v + begin
      let dWeight = dWeight + begin
      let dv = dv + begin
      forEachVector(min(Panels.width, outputs - tile * Panels.width)) { offset, lanes in
        let inverse = inverseNorm(v, rows: rows, offset: offset)
        var product = Vector.zero
        for row in 0..<rows {
          let index = row * Panels.width + offset
          product = product.addingProduct(dWeight.vector(at: index), v.vector(at: index))
        }
        let dGain = product * inverse
        dg.store(dGain, at: tile * Panels.width + offset, lanes: lanes)
        let factor = g.vector(at: tile * Panels.width + offset, lanes: lanes) * inverse
        let slope = dGain * inverse
        for row in 0..<rows {
          let index = row * Panels.width + offset
          dv.store((dWeight.vector(at: index) - v.vector(at: index) * slope) * factor, at: index)
        }
      }
    }
  }
}
