import Kernels
import Orders
import Tensors

/// What PixelCNN++ needs to compute one location after another along the raster scan.
///
/// The stream u reads to the right of a location, too, but only what rows above it left there: so a row of u is computed as a
/// whole when the scan comes to it, and ul location by location. A coarse location is computed when the scan comes to the
/// first of the fine ones that it covers; what it reads never changes after that (Ramachandran et al. 2017, "Fast
/// Generation for Convolutional Autoregressive Models"). So a whole image costs one forward pass.
public final class TwoStreamCache {
  /// Number of images computed side by side.
  public let images: Int
  /// Size of the images.
  public let size: ImageSize
  /// Outputs of the network at the location computed last: `[images, outputs]`.
  public let logits: Matrix

  /// Pixels with the channel of ones, `[pixels * images, channels + 1]`.
  let input: Matrix
  let u: Stream
  let ul: Stream
  /// Scratch `[images, ...]`: F, F, 2F and 4F columns.
  let c: Matrix
  let left: Matrix
  let d: Matrix
  let joined: Matrix
  let wide: Matrix
  let effectiveWeights: FloatBuffer

  /// The activations of a stream at all locations, pixel by pixel: `[pixels of the level * images, columns]`.
  struct Stream {
    let initial: Matrix
    /// `[group][block]`
    let up: [[Block]]
    let down: [[Block]]
    /// Outputs of the layers between groups.
    let downsize: [Matrix]
    let upsize: [Matrix]
  }

  /// What a block keeps.
  struct Block {
    /// concat_elu of its input and of its inner activations, `2F` columns.
    let outer: Matrix
    let inner: Matrix
    let output: Matrix
  }

  /// Room for `images` images of `size`.
  public init(network: PixelCNNPlusPlus, size: ImageSize, images: Int) {
    let configuration = network.configuration
    let filters = configuration.filters
    self.images = images
    self.size = size
    func matrix(_ columns: Int, level: Int) -> Matrix {
      Matrix(rows: StreamWindow.size(size, level: level).pixels * images, columns: columns)
    }
    func stream() -> Stream {
      func blocks(_ count: Int, level: Int) -> [Block] {
        (0..<count).map { _ in
          Block(
            outer: matrix(2 * filters, level: level), inner: matrix(2 * filters, level: level),
            output: matrix(filters, level: level))
        }
      }
      return Stream(
        initial: matrix(filters, level: 0),
        up: network.up.enumerated().map { blocks($1.count, level: $0) },
        down: network.down.enumerated().map { blocks($1.count, level: 2 - $0) },
        downsize: (0..<2).map { matrix(filters, level: $0 + 1) }, upsize: (0..<2).map { matrix(filters, level: 1 - $0) }
      )
    }
    input = matrix(configuration.channels + 1, level: 0)
    for row in 0..<input.rows { input[row, configuration.channels] = 1 }
    u = stream()
    ul = stream()
    logits = Matrix(rows: images, columns: configuration.outputs)
    c = Matrix(rows: images, columns: filters)
    left = Matrix(rows: images, columns: filters)
    d = Matrix(rows: images, columns: 2 * filters)
    joined = Matrix(rows: images, columns: 2 * filters)
    wide = Matrix(rows: images, columns: 4 * filters)
    effectiveWeights = FloatBuffer(count: network.effectiveCount)
  }

  /// Floats that an image of `size` takes.
  public static func floatsPerImage(network: PixelCNNPlusPlus, size: ImageSize) -> Int {
    let filters = network.configuration.filters
    func pixels(_ level: Int) -> Int { StreamWindow.size(size, level: level).pixels }
    // Of the first layer and of those between groups.
    var stream = filters * (2 * pixels(0) + 2 * pixels(1) + pixels(2))
    for group in 0..<3 {
      stream += 5 * filters * (network.up[group].count * pixels(group) + network.down[group].count * pixels(2 - group))
    }
    return (network.configuration.channels + 1) * pixels(0) + 2 * stream
  }

  /// Takes the levels of `pixel`, `[images, channels]`, once it is generated or when it is observed; `scale` is that to
  /// [0, 2].
  public func setPixel(_ pixel: Int, levels: (_ image: Int, _ channel: Int) -> UInt8, scale: Float) {
    input.setPixel(pixel, images: images, levels: levels, scale: scale)
  }

  /// The rows of `pixel` in a cached matrix.
  func rows(_ matrix: Matrix, _ pixel: Int) -> Matrix { matrix.rows(of: pixel, images: images) }
}

extension PixelCNNPlusPlus {
  /// Computes what depends on parameters alone. Due before the first location and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, cache: TwoStreamCache, pool: ThreadPool) {
    prepare(parameters: parameters, effective: cache.effectiveWeights, pool: pool)
  }

  /// Computes all activations at `pixel`, before which the raster scan must have been followed from its beginning, and
  /// `cache.logits` unless nobody asks for them. The bits are those of the full forward pass.
  public func forward(
    at pixel: Int, parameters: FloatBuffer, plan: LocationPlan, cache: TwoStreamCache, wantsLogits: Bool = true,
    pool: ThreadPool
  ) {
    let (row, column) = pixel.quotientAndRemainder(dividingBy: cache.size.columns)
    let scan = TwoStreamLocations(parameters: parameters, plan: plan, cache: cache, pool: pool)
    if column == 0 { computeU(scan, row: row) }
    computeUL(scan, row: row, column: column)
    guard wantsLogits else { return }
    ELU.forward(x: cache.rows(cache.ul.down[2][down[2].count - 1].output, pixel), y: cache.c, pool: pool)
    output.forward(scan.pass(pixel), x: cache.c, y: cache.logits)
  }

  /// A row of u at each level where the scan comes to a new one.
  private func computeU(_ scan: TwoStreamLocations, row: Int) {
    let (cache, u) = (scan.cache, scan.cache.u)
    func pixels(_ level: Int) -> Range<Int> {
      guard row % (1 << level) == 0 else { return 0..<0 }
      let columns = cache.size.columns >> level
      return ((row >> level) * columns)..<(((row >> level) + 1) * columns)
    }
    for pixel in pixels(0) { scan.initial(initialAbove, at: pixel, y: cache.rows(u.initial, pixel)) }
    for group in 0..<3 {
      for (index, blocks) in up[group].enumerated() {
        scan.forward(blocks.u, u.up[group][index], at: pixels(group), x: u.upInput(group, index), skip: { _ in nil })
      }
      guard group < 2 else { continue }
      for pixel in pixels(group + 1) {
        downsize[group].u.forward(
          scan.pass(pixel), x: u.upInput(group, up[group].count), y: cache.rows(u.downsize[group], pixel))
      }
    }
    for group in 0..<3 {
      let level = 2 - group
      for (index, blocks) in down[group].enumerated() {
        let popped = u.stackEntry(stack.entry(poppedBy: group, index))
        scan.forward(
          blocks.u, u.down[group][index], at: pixels(level), x: u.downInput(group, index),
          skip: { cache.rows(popped, $0) })
      }
      guard group < 2 else { continue }
      for pixel in pixels(level - 1) {
        upsize[group].u.forward(
          scan.pass(pixel), x: u.downInput(group, down[group].count), y: cache.rows(u.upsize[group], pixel))
      }
    }
  }

  /// The location of ul at each level where the scan comes to a new one.
  private func computeUL(_ scan: TwoStreamLocations, row: Int, column: Int) {
    let (cache, u, ul) = (scan.cache, scan.cache.u, scan.cache.ul)
    func pixels(_ level: Int) -> Range<Int> {
      guard row % (1 << level) == 0 && column % (1 << level) == 0 else { return 0..<0 }
      let pixel = (row >> level) * (cache.size.columns >> level) + (column >> level)
      return pixel..<(pixel + 1)
    }
    for pixel in pixels(0) {
      let first = cache.rows(ul.initial, pixel)
      scan.initial(initialRow, at: pixel, y: first)
      scan.initial(initialLeft, at: pixel, y: cache.left)
      Addition.add(cache.left, to: first, pool: scan.pool)
    }
    for group in 0..<3 {
      for (index, blocks) in up[group].enumerated() {
        let above = u.up[group][index].output
        scan.forward(
          blocks.ul, ul.up[group][index], at: pixels(group), x: ul.upInput(group, index),
          skip: { cache.rows(above, $0) })
      }
      guard group < 2 else { continue }
      for pixel in pixels(group + 1) {
        downsize[group].ul.forward(
          scan.pass(pixel), x: ul.upInput(group, up[group].count), y: cache.rows(ul.downsize[group], pixel))
      }
    }
    for group in 0..<3 {
      let level = 2 - group
      for (index, blocks) in down[group].enumerated() {
        let above = u.down[group][index].output
        let popped = ul.stackEntry(stack.entry(poppedBy: group, index))
        scan.forward(
          blocks.ul, ul.down[group][index], at: pixels(level), x: ul.downInput(group, index),
          skip: { pixel in
            ChannelConcatenation.forward(
              cache.rows(above, pixel), cache.rows(popped, pixel), y: cache.joined, pool: scan.pool)
            return cache.joined
          })
      }
      guard group < 2 else { continue }
      for pixel in pixels(level - 1) {
        upsize[group].ul.forward(
          scan.pass(pixel), x: ul.downInput(group, down[group].count), y: cache.rows(ul.upsize[group], pixel))
      }
    }
  }
}

extension TwoStreamCache.Stream {
  private var blocks: Int { up[0].count }

  /// The input of block `index` of a group up; with `index` = the number of blocks, the group's output.
  func upInput(_ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return up[group][index - 1].output }
    return group == 0 ? initial : downsize[group - 1]
  }

  /// The input of block `index` of a group down; with `index` = the number of blocks, the group's output.
  func downInput(_ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return down[group][index - 1].output }
    return group == 0 ? upInput(2, blocks) : upsize[group - 1]
  }

  /// Output pushed as `entry` on the stack.
  func stackEntry(_ entry: Int) -> Matrix {
    guard entry > 0 else { return initial }
    let (group, index) = SkipStack(blocks: blocks).block(pushing: entry)
    return index < blocks ? up[group][index].output : downsize[group]
  }
}

/// What computing locations of either stream needs.
private struct TwoStreamLocations {
  let parameters: FloatBuffer
  let plan: LocationPlan
  let cache: TwoStreamCache
  let pool: ThreadPool

  func pass(_ pixel: Int) -> LocationPass {
    LocationPass(
      pixel: pixel, parameters: parameters, effectiveWeights: cache.effectiveWeights, plan: plan, normalization: .none,
      pool: pool)
  }

  /// A first layer at one location; what shifting moves in has no bias.
  func initial(_ layer: ConvolutionLayer, at pixel: Int, y: Matrix) {
    guard plan.taps(layer.mask).visibleCount(pixel) > 0 else { return y.fill(0) }
    layer.forward(pass(pixel), x: cache.input, y: y)
  }

  /// A block at some locations: each of its layers at all of them before the next, since u reads to the right.
  func forward(
    _ block: GatedResidualBlock, _ cached: TwoStreamCache.Block, at pixels: Range<Int>, x: Matrix,
    skip: (_ pixel: Int) -> Matrix?
  ) {
    for pixel in pixels {
      ConcatELU.forward(x: cache.rows(x, pixel), y: cache.rows(cached.outer, pixel), pool: pool)
    }
    for pixel in pixels {
      block.convInput.forward(pass(pixel), x: cached.outer, y: cache.c)
      if let ninSkip = block.ninSkip, let a = skip(pixel) {
        let wide = cache.wide.resized(columns: ninSkip.inputs)
        ConcatELU.forward(x: a, y: wide, pool: pool)
        ninSkip.forward(pass(pixel), x: wide, adds: true, y: cache.c)
      }
      ConcatELU.forward(x: cache.c, y: cache.rows(cached.inner, pixel), pool: pool)
    }
    for pixel in pixels {
      block.convOut.forward(pass(pixel), x: cached.inner, y: cache.d)
      Gate.forward(x: cache.rows(x, pixel), d: cache.d, out: cache.rows(cached.output, pixel), pool: pool)
    }
  }
}
