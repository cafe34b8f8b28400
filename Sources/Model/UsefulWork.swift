/// What a layer multiplies for one image: unmasked products only.
public struct LayerWork: Sendable {
  /// The layer's label in traces, an index into `LocallyMaskedPixelCNN.traceLabels`.
  public let label: Int
  /// Whether it is a locally masked convolution; else a 1x1 layer.
  public let isMasked: Bool
  /// Multiplications of the forward pass, and as many of each gradient.
  public let multiplications: Int
  /// Whether the gradient of its input is needed; the image's is not.
  public let hasInputGradient: Bool
}

extension LocallyMaskedPixelCNN {
  /// Names of layers by their label in traces.
  public var traceLabels: [String] {
    layout.entries.map { entry in entry.name.split(separator: ".").dropLast().joined(separator: ".") }
  }

  /// What each layer multiplies under `plan`. Of two neighbours one sees the other, so this is the same for all orders of
  /// images of a size.
  public func work(plan: OrderPlan) -> [LayerWork] {
    layers.map { layer in
      LayerWork(
        label: layer.firstEntry, isMasked: layer.mask != .pointwise,
        multiplications: plan.pair(layer.mask).forward.visibleTaps * layer.inputs * layer.outputs,
        hasInputGradient: layer.mask != .first)
    }
  }

  /// Useful floating point operations, two a multiplication, of the forward and backward passes of one image.
  public func trainingOperations(plan: OrderPlan) -> Int {
    work(plan: plan).reduce(0) { $0 + 2 * $1.multiplications * ($1.hasInputGradient ? 3 : 2) }
  }
}
