import Kernels
import Orders

/// A generation order prepared for computing the network one location at a time.
public struct LocationPlan: Sendable {
  /// The order.
  public let order: GenerationOrder
  private let first: LocationTaps
  private let undilated: LocationTaps
  private let dilated: LocationTaps
  private let pointwise: LocationTaps

  /// The plan of `order` for a network with `windows`.
  public init(order: GenerationOrder, windows: NetworkWindows) {
    self.order = order
    func taps(_ type: MaskType, dilation: Int) -> LocationTaps {
      LocationTaps(
        LocalMask(order: order, window: KernelWindow(side: windows.side, dilation: dilation), type: type))
    }
    first = taps(.a, dilation: 1)
    undilated = taps(.b, dilation: 1)
    dilated = windows.dilation == 1 ? undilated : taps(.b, dilation: windows.dilation)
    pointwise = .pointwise(size: ImageSize(rows: 1, columns: 1))
  }

  func taps(_ kind: MaskKind) -> LocationTaps {
    switch kind {
    case .first: return first
    case .undilated: return undilated
    case .dilated: return dilated
    case .pointwise: return pointwise
    }
  }
}
