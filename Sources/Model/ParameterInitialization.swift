import Tensors

extension LocallyMaskedPixelCNN {
  /// A new flat parameter vector, initialized as the reference does.
  public func initialParameters(seed: UInt64) -> FloatBuffer { layout.initialParameters(seed: seed) }
}

extension ParameterLayout {
  /// A new flat parameter vector, initialized as the reference does: weights and biases uniform in
  /// +-1 / sqrt(fan in), gains the norms of their directions; weights on the mask start at zero. The fan-in of a
  /// transposed convolution is, as PyTorch counts it, that of the convolution it is the adjoint of.
  func initialParameters(seed: UInt64) -> FloatBuffer {
    let parameters = FloatBuffer(count: count)
    var fanIn = 1
    var rowNorms: [Float] = []
    for (index, entry) in entries.enumerated().reversed() {
      // Backwards, so that a direction comes before its gain; a bias takes the fan-in of the weight before it.
      let weight = entries[...index].last { $0.storage == .panels } ?? entry
      fanIn = weight.shape.dropFirst().reduce(1, *)
      if entry.name.hasSuffix(".weight_g") {
        setFileValues(rowNorms, of: entry, in: parameters)
        continue
      }
      guard entry.storage != .maskPanels else { continue }
      var generator = KeyedGenerator(seed: seed, purpose: .initialization, step: index)
      let bound = 1 / Float(fanIn).squareRoot()
      let values = (0..<entry.count).map { _ in (2 * generator.uniform() - 1) * bound }
      setFileValues(values, of: entry, in: parameters)
      if entry.name.hasSuffix(".weight_v") {
        let columns = entry.count / entry.shape[0]
        rowNorms = (0..<entry.shape[0]).map { row in
          var squares = 0.0
          for value in values[(row * columns)..<((row + 1) * columns)] { squares += Double(value) * Double(value) }
          return Float(squares.squareRoot())
        }
      }
    }
    return parameters
  }
}
