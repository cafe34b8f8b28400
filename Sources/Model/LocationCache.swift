import Kernels
import Orders
import Tensors

/// The activations that a network needs to compute one location after another, whichever its architecture.
public enum LocationCache {
  /// Of the paper's network.
  case locallyMasked(LocallyMaskedPixelCNN, ActivationCache)
  /// Of the baseline.
  case twoStream(PixelCNNPlusPlus, TwoStreamCache)

  /// Room for `images` images of `size`.
  public init(network: AutoregressiveNetwork, size: ImageSize, images: Int) {
    switch network {
    case .locallyMasked(let network):
      self = .locallyMasked(network, ActivationCache(network: network, size: size, images: images))
    case .pixelCNNPlusPlus(let network):
      self = .twoStream(network, TwoStreamCache(network: network, size: size, images: images))
    }
  }

  /// Floats that an image of `size` takes.
  public static func floatsPerImage(network: AutoregressiveNetwork, size: ImageSize) -> Int {
    switch network {
    case .locallyMasked(let network): size.pixels * ActivationCache.floatsPerPixel(network: network)
    case .pixelCNNPlusPlus(let network): TwoStreamCache.floatsPerImage(network: network, size: size)
    }
  }

  /// Number of images computed side by side.
  public var images: Int {
    switch self {
    case .locallyMasked(_, let cache): cache.images
    case .twoStream(_, let cache): cache.images
    }
  }

  /// Outputs of the network at the location computed last: `[images, outputs]`.
  public var logits: Matrix {
    switch self {
    case .locallyMasked(_, let cache): cache.logits
    case .twoStream(_, let cache): cache.logits
    }
  }

  /// Computes what depends on parameters alone. Due before the first location and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, pool: ThreadPool) {
    switch self {
    case .locallyMasked(let network, let cache): network.prepare(parameters: parameters, cache: cache, pool: pool)
    case .twoStream(let network, let cache): network.prepare(parameters: parameters, cache: cache, pool: pool)
    }
  }

  /// Computes all activations at `pixel`, whose predecessors in the order must have been computed, and `logits` unless
  /// nobody asks for them. The bits are those of the full forward pass.
  public func forward(at pixel: Int, parameters: FloatBuffer, plan: LocationPlan, wantsLogits: Bool, pool: ThreadPool) {
    switch self {
    case .locallyMasked(let network, let cache):
      network.forward(
        at: pixel, parameters: parameters, plan: plan, cache: cache, wantsLogits: wantsLogits, pool: pool)
    case .twoStream(let network, let cache):
      network.forward(
        at: pixel, parameters: parameters, plan: plan, cache: cache, wantsLogits: wantsLogits, pool: pool)
    }
  }

  /// Takes the levels of `pixel`, `[images, channels]`, once it is generated or when it is observed; `scale` is that to
  /// [0, 2].
  public func setPixel(_ pixel: Int, levels: (_ image: Int, _ channel: Int) -> UInt8, scale: Float) {
    switch self {
    case .locallyMasked(_, let cache): cache.setPixel(pixel, levels: levels, scale: scale)
    case .twoStream(_, let cache): cache.setPixel(pixel, levels: levels, scale: scale)
    }
  }
}
