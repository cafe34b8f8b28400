import Kernels
import Orders
import Tensors

/// What the network needs to compute one location after another along an order.
///
/// Once a pixel is generated, no activation at its location ever changes (design.md, section 3). So the activations that
/// convolutions read from neighbours are kept, pixel by pixel, `[pixels * images, channels]`, and each new pixel costs
/// its own location only: a whole image costs one forward pass.
public final class ActivationCache {
  /// Number of images computed side by side.
  public let images: Int
  /// Outputs of the network at the location computed last: `[images, outputs]`.
  public let logits: Matrix

  /// Pixels with the channel of ones, `[pixels * images, channels + 1]`.
  let input: Matrix
  /// concat_elu of each block's input and inner activations: `[pixels * images, 2F]`, up then down.
  let blocks: [(outer: Matrix, inner: Matrix)]
  /// Inputs of the dilated convolutions: `[pixels * images, F]`, up then down.
  let groups: [Matrix]
  /// Outputs at the current location that the way down takes up: `[images, F]`.
  let stack: [Matrix]
  /// The stream at the current location: `[images, F]`.
  let stream: Matrix
  let c: Matrix
  /// `[images, 2F]`
  let d: Matrix
  let wide: Matrix
  /// `[images, 1]`
  let scale: Matrix
  let effectiveWeights: FloatBuffer

  /// Room for `images` images of `size`.
  public init(network: LocallyMaskedPixelCNN, size: ImageSize, images: Int) {
    let configuration = network.configuration
    let filters = configuration.filters
    let rows = size.pixels * images
    self.images = images
    logits = Matrix(rows: images, columns: configuration.outputs)
    input = Matrix(rows: rows, columns: configuration.channels + 1)
    blocks = (0..<(network.up.joined().count + network.down.joined().count)).map { _ in
      (Matrix(rows: rows, columns: 2 * filters), Matrix(rows: rows, columns: 2 * filters))
    }
    groups = (0..<4).map { _ in Matrix(rows: rows, columns: filters) }
    stack = (0..<network.stack.depth).map { _ in Matrix(rows: images, columns: filters) }
    stream = Matrix(rows: images, columns: filters)
    c = Matrix(rows: images, columns: filters)
    d = Matrix(rows: images, columns: 2 * filters)
    wide = Matrix(rows: images, columns: 2 * filters)
    scale = Matrix(rows: images, columns: 1)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
    for row in 0..<rows { input[row, configuration.channels] = 1 }
  }

  /// Floats that an image's memory grows by with each of its pixels.
  public static func floatsPerPixel(network: LocallyMaskedPixelCNN) -> Int {
    let blocks = network.up.joined().count + network.down.joined().count
    return network.configuration.channels + 1 + (4 * blocks + 4) * network.configuration.filters
  }

  /// Takes the levels of `pixel`, `[images, channels]`, once it is generated or when it is observed; `scale` is that to
  /// [0, 2].
  public func setPixel(_ pixel: Int, levels: (_ image: Int, _ channel: Int) -> UInt8, scale: Float) {
    input.setPixel(pixel, images: images, levels: levels, scale: scale)
  }

  /// The rows of `pixel` in a cached matrix.
  func rows(_ matrix: Matrix, _ pixel: Int) -> Matrix { matrix.rows(of: pixel, images: images) }
}

/// What every layer's computation at one location needs.
struct LocationPass {
  let pixel: Int
  let parameters: FloatBuffer
  let effectiveWeights: FloatBuffer
  let plan: LocationPlan
  let normalization: LocationNormalization
  let pool: ThreadPool
}

extension LocallyMaskedPixelCNN {
  /// Computes what depends on parameters alone. Due before the first location and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, cache: ActivationCache, pool: ThreadPool) {
    forEachLayer { $0.prepare(parameters: parameters, effective: cache.effectiveWeights, pool: pool) }
  }

  /// Computes all activations at `pixel`, whose predecessors in the order must have been computed, and `cache.logits`
  /// unless the pixel is observed and nobody asks for them. The bits are those of the full forward pass.
  public func forward(
    at pixel: Int, parameters: FloatBuffer, plan: LocationPlan, cache: ActivationCache, wantsLogits: Bool = true,
    pool: ThreadPool
  ) {
    let pass = LocationPass(
      pixel: pixel, parameters: parameters, effectiveWeights: cache.effectiveWeights, plan: plan,
      normalization: configuration.normalization.atLocations, pool: pool)
    initial.forward(pass, x: cache.input, y: cache.stream)
    normalize(pass, cache.stream, .undilated, cache)
    cache.stack[0].copy(from: cache.stream)

    var block = 0
    var entry = 1
    for group in 0..<3 {
      for layer in up[group] {
        layer.forward(pass, skip: nil, cached: cache.blocks[block], cache: cache)
        cache.stack[entry].copy(from: cache.stream)
        block += 1
        entry += 1
      }
      if group < 2 {
        dilated(pass, downsize[group], cache.groups[group], cache)
        cache.stack[entry].copy(from: cache.stream)
        entry += 1
      }
    }
    for group in 0..<3 {
      for (index, layer) in down[group].enumerated() {
        layer.forward(
          pass, skip: cache.stack[stack.entry(poppedBy: group, index)], cached: cache.blocks[block], cache: cache)
        block += 1
      }
      if group < 2 { dilated(pass, upsize[group], cache.groups[2 + group], cache) }
    }
    guard wantsLogits else { return }
    ELU.forward(x: cache.stream, y: cache.c, pool: pool)
    output.forward(pass, x: cache.c, y: cache.logits)
  }

  private func dilated(_ pass: LocationPass, _ layer: ConvolutionLayer, _ cached: Matrix, _ cache: ActivationCache) {
    cache.rows(cached, pass.pixel).copy(from: cache.stream)
    layer.forward(pass, x: cached, y: cache.stream)
    normalize(pass, cache.stream, .dilated, cache)
  }

  private func normalize(_ pass: LocationPass, _ x: Matrix, _ kind: MaskKind, _ cache: ActivationCache) {
    pass.normalization.forward(
      x: x, columns: configuration.filters, counts: [pass.plan.taps(kind).visibleCount(pass.pixel)],
      scale: cache.scale, pool: pass.pool)
  }
}

extension GatedResidualBlock {
  /// The block at one location: `cache.stream` becomes its output.
  func forward(_ pass: LocationPass, skip a: Matrix?, cached: (outer: Matrix, inner: Matrix), cache: ActivationCache) {
    let filters = cache.stream.columns
    let counts = [pass.plan.taps(.undilated).visibleCount(pass.pixel)]
    ConcatELU.forward(x: cache.stream, y: cache.rows(cached.outer, pass.pixel), pool: pass.pool)
    convInput.forward(pass, x: cached.outer, y: cache.c)
    pass.normalization.forward(x: cache.c, columns: filters, counts: counts, scale: cache.scale, pool: pass.pool)
    if let ninSkip, let a {
      ConcatELU.forward(x: a, y: cache.wide, pool: pass.pool)
      ninSkip.forward(pass, x: cache.wide, adds: true, y: cache.c)
    }
    ConcatELU.forward(x: cache.c, y: cache.rows(cached.inner, pass.pixel), pool: pass.pool)
    convOut.forward(pass, x: cached.inner, y: cache.d)
    pass.normalization.forward(x: cache.d, columns: filters, counts: counts, scale: cache.scale, pool: pass.pool)
    Gate.forward(x: cache.stream, d: cache.d, out: cache.stream, pool: pass.pool)
  }
}
