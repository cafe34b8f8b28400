import Tensors

/// One step of Adam on part of a flat vector.
///
/// Every element goes through the same operations, each rounded by itself (no fused multiply-add), whether it lies in a
/// whole vector or in the rest at the end: the result does not depend on how the flat vector is cut up.
package struct AdamUpdate: Sendable {
  /// What the gradient is multiplied by first (clipping).
  package var gradientScale: Float
  /// What the parameter is multiplied by first: 1 - learning rate * weight decay.
  package var decay: Float
  /// 1 - beta1.
  package var firstRate: Float
  /// beta2.
  package var secondKept: Float
  /// 1 - beta2.
  package var secondRate: Float
  /// Learning rate / (1 - beta1^t).
  package var stepSize: Float
  /// sqrt(1 - beta2^t).
  package var secondCorrection: Float
  /// Added to the denominator.
  package var epsilon: Float

  package init(
    gradientScale: Float, decay: Float, firstRate: Float, secondKept: Float, secondRate: Float, stepSize: Float,
    secondCorrection: Float, epsilon: Float
  ) {
    self.gradientScale = gradientScale
    self.decay = decay
    self.firstRate = firstRate
    self.secondKept = secondKept
    self.secondRate = secondRate
    self.stepSize = stepSize
    self.secondCorrection = secondCorrection
    self.epsilon = epsilon
  }

  /// Updates `range` of `parameters` by the same range of `gradient`; `first` and `second` hold its moments from `offset`.
  package func apply(
    to parameters: FloatBuffer, _ range: Range<Int>, gradient: FloatBuffer, first: FloatBuffer, second: FloatBuffer,
    offset: Int, pool: ThreadPool? = nil
  ) {
    precondition(
      range.lowerBound >= 0 && range.upperBound <= min(parameters.count, gradient.count) && offset >= 0
        && offset + range.count <= min(first.count, second.count),
      "AdamUpdate: \(range) of \(parameters.count) and \(gradient.count), moments at \(offset) of \(first.count)")
    let work = Elements(
      update: self, count: range.count, parameters: parameters.base + range.lowerBound,
      gradient: gradient.base + range.lowerBound, first: first.base + offset, second: second.base + offset)
    work.run(on: pool)
  }

  private struct Elements: FlatWork {
    let update: AdamUpdate
    let count: Int
    let parameters: UnsafeMutablePointer<Float>
    let gradient: UnsafePointer<Float>
    let first: UnsafeMutablePointer<Float>
    let second: UnsafeMutablePointer<Float>

    @inline(__always)
    func run(from begin: Int, count: Int) {
      let p = parameters + begin
      let g = gradient + begin
      let m = first + begin
      let v = second + begin
      for vector in VectorSlices(count: count) {
        var parameter = vector.load(p)
        var mean = vector.load(m)
        var square = vector.load(v)
        let slope = vector.load(g) * update.gradientScale
        mean += (slope - mean) * update.firstRate
        square = square * update.secondKept + slope * slope * update.secondRate
        let denominator = square.squareRoot() / update.secondCorrection + update.epsilon
        parameter = parameter * update.decay - mean * update.stepSize / denominator
        vector.store(parameter, p)
        vector.store(mean, m)
        vector.store(square, v)
      }
    }
  }
}
