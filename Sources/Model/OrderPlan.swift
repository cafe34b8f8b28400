import Kernels
import Orders

/// Windows of the network's three kinds of masked convolution.
public struct NetworkWindows: Hashable, Sendable {
  /// Side of the windows; odd.
  public let side: Int
  /// Dilation of the convolutions between groups.
  public let dilation: Int

  /// The windows of a network.
  public init(side: Int, dilation: Int) {
    self.side = side
    self.dilation = dilation
  }
}

/// Which of a plan's masks a convolution uses.
package enum MaskKind: Sendable {
  /// Type A, dilation 1: the first layer.
  case first
  /// Type B, dilation 1: gated blocks.
  case undilated
  /// Type B, dilated: between groups.
  case dilated
  /// Every pixel sees itself: 1x1 layers.
  case pointwise
}

/// Everything the network needs to run under one generation order: its three local masks, prepared for forward and
/// backward.
public final class OrderPlan: Sendable {
  /// A mask with its transpose.
  struct Pair: Sendable {
    let forward: NeighbourPlan
    let transposed: NeighbourPlan
  }

  /// The order.
  public let order: GenerationOrder
  /// Pixels that every location may see.
  public let observed: Set<Int>
  let first: Pair
  let undilated: Pair
  let dilated: Pair
  let pointwise: Pair

  /// The plan of `order` for a network with `windows`; `observed` pixels are visible to all others.
  public init(order: GenerationOrder, windows: NetworkWindows, observed: Set<Int> = []) {
    self.order = order
    self.observed = observed
    func pair(_ type: MaskType, dilation: Int) -> Pair {
      let window = KernelWindow(side: windows.side, dilation: dilation)
      let mask = LocalMask(order: order, window: window, type: type, observed: observed)
      return Pair(
        forward: NeighbourPlan(size: order.size, window: window, visible: mask.visible),
        transposed: NeighbourPlan(
          size: order.size, window: window, visible: mask.transposed.visible, isTransposed: true))
    }
    first = pair(.a, dilation: 1)
    undilated = pair(.b, dilation: 1)
    dilated = windows.dilation == 1 ? undilated : pair(.b, dilation: windows.dilation)
    let identity = NeighbourPlan.pointwise(size: order.size)
    pointwise = Pair(forward: identity, transposed: identity)
  }

  /// Bytes that the plan of an order of `size` takes, without lists of blocks and taps, which are small beside those of
  /// pixels.
  public static func bytes(size: ImageSize, windows: NetworkWindows) -> Int {
    // A list entry for each tap, and a count, of each pixel.
    func plan(taps: Int) -> Int { (taps + 1) * size.pixels }
    let masks = windows.dilation == 1 ? 2 : 3
    let entries = 2 * masks * plan(taps: windows.side * windows.side) + plan(taps: 1) + size.pixels
    return entries * MemoryLayout<Int32>.stride
  }

  func pair(_ kind: MaskKind) -> Pair {
    switch kind {
    case .first: return first
    case .undilated: return undilated
    case .dilated: return dilated
    case .pointwise: return pointwise
    }
  }
}
