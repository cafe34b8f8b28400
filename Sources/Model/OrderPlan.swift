import Kernels
import Orders

/// Windows of a network's convolutions: what an order is planned for.
public enum NetworkWindows: Hashable, Sendable {
  /// Square windows of `side` taps under local masks; those between groups of blocks are dilated.
  case masked(side: Int, dilation: Int)
  /// The shifted windows of PixelCNN++, which make the raster scan the only order.
  case shifted
}

/// Which of a plan's masks a convolution uses.
package enum MaskKind: Hashable, Sendable {
  /// Type A, dilation 1: the first layer.
  case first
  /// Type B, dilation 1: gated blocks.
  case undilated
  /// Type B, dilated: between groups.
  case dilated
  /// No mask but the window's own shape, in PixelCNN++.
  case shifted(StreamWindow)
  /// Every pixel sees itself: 1x1 layers. `level` counts how often the image's sides have been halved.
  case pointwise(level: Int)
}

/// Everything the network needs to run under one generation order: which taps each pixel sees, prepared for forward and
/// backward.
public final class OrderPlan: Sendable {
  /// A mask with its transpose.
  struct Pair: Sendable {
    let forward: NeighbourPlan
    let transposed: NeighbourPlan

    init(forward: NeighbourPlan, transposed: NeighbourPlan) {
      self.forward = forward
      self.transposed = transposed
    }

    /// `plan` and what it makes of the gradient.
    init(_ plan: NeighbourPlan) {
      forward = plan
      transposed = plan.transposed
    }
  }

  /// The order.
  public let order: GenerationOrder
  /// Pixels that every location may see.
  public let observed: Set<Int>
  let pairs: [MaskKind: Pair]
  /// How the images of each level but the last are cut up for strided convolutions.
  let polyphases: [Polyphase]

  /// The plan of `order` for a network with `windows`; `observed` pixels are visible to all others.
  ///
  /// Shifted windows take the raster scan alone, without observed pixels, of images whose sides 4 divides
  /// (`PixelCNNPlusPlus.require`).
  public init(order: GenerationOrder, windows: NetworkWindows, observed: Set<Int> = []) {
    self.order = order
    self.observed = observed
    switch windows {
    case .masked(let side, let dilation):
      pairs = Self.maskedPairs(order, side: side, dilation: dilation, observed: observed)
      polyphases = []
    case .shifted:
      precondition(
        order.isRasterScan && observed.isEmpty && PixelCNNPlusPlus.takes(order.size),
        "OrderPlan: shifted windows for another order than the raster scan, or a size of \(order.size)")
      pairs = StreamWindow.pairs(size: order.size)
      polyphases = (0..<StreamWindow.levels - 1).map {
        Polyphase(size: StreamWindow.size(order.size, level: $0 + 1), stride: 2)
      }
    }
  }

  private static func maskedPairs(
    _ order: GenerationOrder, side: Int, dilation: Int, observed: Set<Int>
  ) -> [MaskKind: Pair] {
    func pair(_ type: MaskType, dilation: Int) -> Pair {
      let window = KernelWindow(side: side, dilation: dilation)
      let mask = LocalMask(order: order, window: window, type: type, observed: observed)
      return Pair(
        forward: NeighbourPlan(size: order.size, window: window, visible: mask.visible),
        transposed: NeighbourPlan(
          size: order.size, window: window, visible: mask.transposed.visible, isTransposed: true))
    }
    let undilated = pair(.b, dilation: 1)
    let identity = NeighbourPlan.pointwise(size: order.size)
    return [
      .first: pair(.a, dilation: 1), .undilated: undilated,
      .dilated: dilation == 1 ? undilated : pair(.b, dilation: dilation),
      .pointwise(level: 0): Pair(forward: identity, transposed: identity),
    ]
  }

  /// Bytes that the plan of an order of `size` takes, without lists of blocks and taps, which are small beside those of
  /// pixels.
  public static func bytes(size: ImageSize, windows: NetworkWindows) -> Int {
    let entries: Int
    switch windows {
    case .masked(let side, let dilation):
      // A list entry for each tap, and a count, of each pixel.
      func plan(taps: Int) -> Int { (taps + 1) * size.pixels }
      let masks = dilation == 1 ? 2 : 3
      entries = 2 * masks * plan(taps: side * side) + plan(taps: 1) + size.pixels
    case .shifted:
      entries = StreamWindow.pairs(size: size).values.reduce(size.pixels) { sum, pair in
        [pair.forward, pair.transposed].reduce(sum) { $0 + $1.pixels.count + $1.visibleCounts.count }
      }
    }
    return entries * MemoryLayout<Int32>.stride
  }

  func pair(_ kind: MaskKind) -> Pair {
    guard let pair = pairs[kind] else { preconditionFailure("OrderPlan: planned for another network, no \(kind)") }
    return pair
  }
}
