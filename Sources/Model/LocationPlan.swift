import Kernels
import Orders

/// A generation order prepared for computing the network one location at a time.
public struct LocationPlan: Sendable {
  /// The order.
  public let order: GenerationOrder
  private let taps: [MaskKind: LocationTaps]
  /// Of the transposed convolutions of these windows.
  private let transposed: [MaskKind: LocationTaps]

  /// The plan of `order` for a network with `windows`; shifted ones take the raster scan alone, as `OrderPlan` says.
  public init(order: GenerationOrder, windows: NetworkWindows) {
    self.order = order
    let pointwise = LocationTaps.pointwise(size: ImageSize(rows: 1, columns: 1))
    switch windows {
    case .masked(let side, let dilation):
      func masked(_ type: MaskType, dilation: Int) -> LocationTaps {
        LocationTaps(LocalMask(order: order, window: KernelWindow(side: side, dilation: dilation), type: type))
      }
      let undilated = masked(.b, dilation: 1)
      taps = [
        .first: masked(.a, dilation: 1), .undilated: undilated,
        .dilated: dilation == 1 ? undilated : masked(.b, dilation: dilation), .pointwise(level: 0): pointwise,
      ]
      transposed = [:]
    case .shifted:
      let plan = OrderPlan(order: order, windows: windows)
      var taps: [MaskKind: LocationTaps] = [:]
      var transposed: [MaskKind: LocationTaps] = [:]
      for (kind, pair) in plan.pairs {
        switch kind {
        case .shifted(.halvingAbove(let level)), .shifted(.halvingAboveLeft(let level)):
          taps[kind] = LocationTaps(pair.forward, inputs: plan.polyphases[level])
        case .shifted(.doublingAbove(let level)), .shifted(.doublingAboveLeft(let level)):
          transposed[kind] = LocationTaps(pair.transposed, outputs: plan.polyphases[level])
        case .pointwise: taps[kind] = pointwise
        default: taps[kind] = LocationTaps(pair.forward)
        }
      }
      self.taps = taps
      self.transposed = transposed
    }
  }

  func taps(_ kind: MaskKind) -> LocationTaps { Self.taps(kind, taps) }

  /// What each fine location reads of the coarse ones in a transposed convolution.
  func transposedTaps(_ kind: MaskKind) -> LocationTaps { Self.taps(kind, transposed) }

  private static func taps(_ kind: MaskKind, _ all: [MaskKind: LocationTaps]) -> LocationTaps {
    guard let taps = all[kind] else { preconditionFailure("LocationPlan: planned for another network, no \(kind)") }
    return taps
  }
}
