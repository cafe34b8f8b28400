/// What a layer multiplies for one image: unmasked products only.
public struct LayerWork: Sendable {
  /// The layer's label in traces, an index into `AutoregressiveNetwork.traceLabels`.
  public let label: Int
  /// Whether it is a convolution that looks at neighbours; else a 1x1 layer.
  public let isMasked: Bool
  /// Multiplications of the forward pass, and as many of each gradient.
  public let multiplications: Int
  /// Whether the gradient of its input is needed; the image's is not.
  public let hasInputGradient: Bool
}

extension ConvolutionLayer {
  /// What the layer multiplies for one image.
  func work(plan: OrderPlan) -> LayerWork {
    LayerWork(
      label: firstEntry, isMasked: !isPointwise,
      multiplications: plan.pair(mask).forward.visibleTaps * inputs * outputs, hasInputGradient: !readsImage)
  }

  private var readsImage: Bool {
    switch mask {
    case .first, .shifted(.initialAbove), .shifted(.initialRow), .shifted(.initialLeft): true
    default: false
    }
  }
}

extension AutoregressiveNetwork {
  /// Names of layers by their label in traces.
  public var traceLabels: [String] { layout.entries.indices.map { layout.layerName($0) } }

  /// What each layer multiplies under `plan`. Of two neighbours one sees the other, so this is the same for all orders of
  /// images of a size.
  public func work(plan: OrderPlan) -> [LayerWork] {
    switch self {
    case .locallyMasked(let network): network.layers.map { $0.work(plan: plan) }
    case .pixelCNNPlusPlus(let network): network.work(plan: plan)
    }
  }

  /// Useful floating point operations, two a multiplication, of the forward and backward passes of one image.
  public func trainingOperations(plan: OrderPlan) -> Int {
    work(plan: plan).reduce(0) { $0 + 2 * $1.multiplications * ($1.hasInputGradient ? 3 : 2) }
  }
}
