import Orders
import Tensors

/// The locally masked convolution (paper, section 4) with its gradients. Activations are `[images * pixels, channels]`;
/// weights are `Panels`, given as a matrix `[panels * taps * inputs, 16]`; biases have a whole panel's room.
public enum MaskedConvolution {
  /// y[p, o] = bias[o] + sum over the taps t that p sees of (maskWeight[t, o] + sum_c x[p + offset(t), c] w[t, c, o]).
  ///
  /// Overwrites `y`, or adds to it with `adds`. `maskWeight` is `[panels * taps, 16]`.
  public static func forward(
    plan: NeighbourPlan, x: Matrix, weight: Matrix, bias: Matrix? = nil, maskWeight: Matrix? = nil,
    adds: Bool = false, y: Matrix, pool: ThreadPool
  ) {
    let images = imageCount(plan, x, y)
    precondition(
      weight.count == Panels.elements(taps: plan.taps, inputs: x.columns, outputs: y.columns)
        && (bias?.count ?? y.columns) >= y.columns
        && (maskWeight?.count ?? 0)
          == (maskWeight == nil ? 0 : Panels.elements(taps: plan.taps, inputs: 1, outputs: y.columns)),
      "MaskedConvolution.forward: weight of \(weight.count) for \(plan.taps) taps, \(x.columns) -> \(y.columns)")
    pool.run(
      MaskedConvolutionForward(
        plan: plan, images: images, inputs: x.columns, outputs: y.columns, x: x.base, weights: weight.base,
        adds: adds, bias: bias.map { UnsafePointer($0.base) }, maskWeight: maskWeight.map { UnsafePointer($0.base) },
        y: y.base))
  }

  /// dx[q, c] = sum over the taps t through which q is seen of sum_o dy[q - offset(t), o] w[t, c, o].
  ///
  /// `plan` is the transposed plan; `transposedWeight` comes from `transpose`. Overwrites `dx`, or adds to it.
  public static func inputGradient(
    transposedPlan plan: NeighbourPlan, dy: Matrix, transposedWeight: Matrix, adds: Bool = false, dx: Matrix,
    pool: ThreadPool
  ) {
    let images = imageCount(plan, dy, dx)
    precondition(
      transposedWeight.count >= Panels.elements(taps: plan.taps, inputs: dy.columns, outputs: dx.columns),
      "MaskedConvolution.inputGradient: weight of \(transposedWeight.count) for \(dy.columns) -> \(dx.columns)")
    pool.run(
      MaskedConvolutionForward(
        plan: plan, images: images, inputs: dy.columns, outputs: dx.columns, x: dy.base,
        weights: transposedWeight.base, adds: adds, bias: nil, maskWeight: nil, y: dx.base))
  }

  /// Gradients of the parameters; overwrites `dWeight`, `dBias` and `dMaskWeight`, padding of the panels included.
  /// `scratch` has as many elements as `dWeight`, or more.
  public static func parameterGradients(
    plan: NeighbourPlan, x: Matrix, dy: Matrix, dWeight: Matrix, dBias: Matrix? = nil, dMaskWeight: Matrix? = nil,
    scratch: Matrix, pool: ThreadPool
  ) {
    let images = imageCount(plan, x, dy)
    precondition(
      dWeight.count == Panels.elements(taps: plan.taps, inputs: x.columns, outputs: dy.columns)
        && scratch.count >= dWeight.count,
      "MaskedConvolution.parameterGradients: weight of \(dWeight.count) for \(x.columns) -> \(dy.columns)")
    let sums = MaskedConvolutionWeightGradient(
      plan: plan, images: images, inputs: x.columns, outputs: dy.columns, x: x.base, dy: dy.base,
      dWeight: dWeight.base, secondPart: scratch.base, scratch: pool.scratch.base)
    pool.run(sums)
    if sums.parts > 1 {
      VectorSum.add(
        scratch.buffer, from: scratch.offset, into: dWeight.buffer, at: dWeight.offset, count: dWeight.count, pool: pool
      )
    }
    if let dBias { biasGradient(dy: dy, dBias: dBias, scratch: scratch, pool: pool) }
    if let dMaskWeight {
      precondition(
        dMaskWeight.count == Panels.elements(taps: plan.taps, inputs: 1, outputs: dy.columns),
        "MaskedConvolution.parameterGradients: mask weight of \(dMaskWeight.count)")
      pool.run(
        MaskWeightGradient(plan: plan, images: images, outputs: dy.columns, dy: dy.base, dMaskWeight: dMaskWeight.base))
    }
  }

  /// Overwrites `dBias` with the sum of dy over all rows. `scratch` has an element for each of its columns, or more.
  public static func biasGradient(dy: Matrix, dBias: Matrix, scratch: Matrix, pool: ThreadPool) {
    precondition(
      dBias.count >= dy.columns && scratch.count >= dy.columns,
      "MaskedConvolution.biasGradient: bias of \(dBias.count) for \(dy.columns) columns")
    pool.run(
      ColumnSums(rows: dy.rows, columns: dy.columns, values: dy.base, sums: dBias.base, secondPart: scratch.base))
    VectorSum.add(scratch.buffer, from: scratch.offset, into: dBias.buffer, at: dBias.offset, count: dy.columns)
  }

  /// Writes the weight with inputs and outputs exchanged, as panels of 16 inputs `[panels, taps, outputs, 16]`.
  public static func transpose(
    weight: Matrix, taps: Int, inputs: Int, outputs: Int, into transposed: Matrix, pool: ThreadPool
  ) {
    precondition(
      weight.count == Panels.elements(taps: taps, inputs: inputs, outputs: outputs)
        && transposed.count >= Panels.elements(taps: taps, inputs: outputs, outputs: inputs),
      "MaskedConvolution.transpose: [\(taps), \(inputs), \(outputs)] from \(weight.count) to \(transposed.count)")
    pool.run(
      WeightTranspose(
        taps: taps, inputs: inputs, outputs: outputs, weight: weight.base, transposed: transposed.base))
  }

  private static func imageCount(_ plan: NeighbourPlan, _ x: Matrix, _ y: Matrix) -> Int {
    let images = x.rows / plan.inputPixels
    precondition(
      x.rows == images * plan.inputPixels && y.rows == images * plan.outputPixels,
      "MaskedConvolution: \(x.rows) and \(y.rows) rows of images of \(plan.inputPixels) and \(plan.outputPixels) pixels"
    )
    return images
  }
}

/// sums[o] = sum over the first half of the rows of values[row, o], and `secondPart[o]` over the others. A tile is a half
/// and a panel of 16 columns; rows are added in order, in runs of 256 that are then added, for accuracy.
private struct ColumnSums: TiledWork {
  let rows: Int
  let columns: Int
  let values: UnsafePointer<Float>
  let sums: UnsafeMutablePointer<Float>
  let secondPart: UnsafeMutablePointer<Float>

  private var panels: Int { Panels.count(outputs: columns) }

  var tiles: Int { 2 * panels }

  func run(tile: Int, thread: Int) {
    let part = tile / panels
    let first = tile % panels * Panels.width
    let end = rows * (part + 1) / 2
    forEachVector(min(Panels.width, columns - first)) { offset, lanes in
      var total = Vector.zero
      var begin = rows * part / 2
      while begin < end {
        var run = Vector.zero
        for row in begin..<min(begin + 256, end) {
          run += (values + row * columns).vector(at: first + offset, lanes: lanes)
        }
        total += run
        begin += 256
      }
      (part == 0 ? sums : secondPart).store(total, at: first + offset, lanes: lanes)
    }
  }
}

/// dMaskWeight[t, o] = sum over images and over the pixels p that see tap t of dy[p, o].
private struct MaskWeightGradient: TiledWork {
  let plan: NeighbourPlan
  let images: Int
  let outputs: Int
  let dy: UnsafePointer<Float>
  /// `[panels, taps, 16]`
  let dMaskWeight: UnsafeMutablePointer<Float>

  var tiles: Int { Panels.count(outputs: outputs) * plan.taps }

  func run(tile: Int, thread: Int) {
    let firstOutput = tile / plan.taps * Panels.width
    let tap = tile % plan.taps
    let sum = dMaskWeight + tile * Panels.width
    sum.update(repeating: 0, count: Panels.width)
    for image in 0..<images {
      let imageDY = dy + image * plan.outputPixels * outputs
      for block in 0..<plan.blocks {
        let begin = Int(plan.starts[block * plan.taps + tap])
        let end = Int(plan.starts[block * plan.taps + tap + 1])
        for index in begin..<end {
          let row = imageDY + Int(plan.pixels[index]) * outputs
          forEachVector(min(Panels.width, outputs - firstOutput)) { offset, lanes in
            let value = row.vector(at: firstOutput + offset, lanes: lanes)
            sum.store(sum.vector(at: offset) + value, at: offset)
          }
        }
      }
    }
  }
}

/// A tile is one tap of one panel of 16 inputs.
private struct WeightTranspose: TiledWork {
  let taps: Int
  let inputs: Int
  let outputs: Int
  /// `[output panels, taps, inputs, 16]`
  let weight: UnsafePointer<Float>
  /// `[input panels, taps, outputs, 16]`
  let transposed: UnsafeMutablePointer<Float>

  var tiles: Int { Panels.count(outputs: inputs) * taps }

  func run(tile: Int, thread: Int) {
    let firstInput = tile / taps * Panels.width
    let tap = tile % taps
    let lanes = min(Panels.width, inputs - firstInput)
    let target = transposed + tile * outputs * Panels.width
    if lanes < Panels.width { target.update(repeating: 0, count: outputs * Panels.width) }
    for output in 0..<outputs {
      let source = weight + Panels.index(tap: tap, input: firstInput, output: output, taps: taps, inputs: inputs)
      let row = target + output * Panels.width
      for lane in 0..<lanes { row[lane] = source[lane * Panels.width] }
    }
  }
}
