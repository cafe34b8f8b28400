/// Whether a location may see its own pixel.
public enum MaskType: Sendable, Hashable {
  /// The centre tap is hidden: the first layer, which reads the pixels themselves.
  case a
  /// The centre tap is visible: layers that read activations, which already exclude the pixel.
  case b
}

/// Which taps of a convolution's window each location may read under a generation order (paper, section 3.2).
///
/// Tap t of pixel p reads pixel p + `window.offset(of: t)`. It is visible when that pixel is inside the image and either
/// generated before p or observed. The centre tap is hidden in type A and visible in type B, observed or not.
public struct LocalMask: Equatable, Sendable {
  /// The image's size.
  public let size: ImageSize
  /// The convolution's window.
  public let window: KernelWindow
  /// 1 where the tap is visible, else 0: [taps, pixels], tap-major, pixel = row * columns + column.
  public let visible: [UInt8]

  /// The mask of a `window` convolution under `order`.
  ///
  /// Pixels in `observed` (each inside the image) are visible to all other locations, wherever they come in the order.
  /// A network of such masks predicts the missing pixels from earlier ones only if the observed ones come first
  /// (`GenerationOrder.observedFirst`): else an observed pixel's activation hands what it reads to pixels before those.
  public init(order: GenerationOrder, window: KernelWindow, type: MaskType, observed: Set<Int> = []) {
    let size = order.size
    size.checkPixels(observed)
    let position = order.positions
    // The position in the order after which a pixel can be read.
    var availableAfter = position
    for pixel in observed { availableAfter[pixel] = -1 }

    var visible = [UInt8](repeating: 0, count: window.taps * size.pixels)
    for tap in 0..<window.taps where tap != window.centerTap {
      let tapStart = tap * size.pixels
      size.forEachPair(at: window.offset(of: tap)) { pixel, neighbour in
        if availableAfter[neighbour] < position[pixel] { visible[tapStart + pixel] = 1 }
      }
    }
    if type == .b {
      let centerStart = window.centerTap * size.pixels
      for pixel in 0..<size.pixels { visible[centerStart + pixel] = 1 }
    }
    self.size = size
    self.window = window
    self.visible = visible
  }

  /// Number of visible taps of each pixel: [pixels].
  public var visibleCounts: [Int] {
    var counts = [Int](repeating: 0, count: size.pixels)
    for tap in 0..<window.taps {
      for pixel in 0..<size.pixels { counts[pixel] += Int(visible[tap * size.pixels + pixel]) }
    }
    return counts
  }

  /// The same mask seen from the pixels that are read.
  public var transposed: TransposedMask { TransposedMask(self) }
}

/// A local mask seen from the pixels that are read: which locations read a pixel, and through which tap.
///
/// A convolution reads y[p] = sum_t visible[t, p] x[p + offset(t)] W[t]. Its gradient with respect to the input gathers
/// instead: dx[q] = sum_t transposed.visible[t, q] dy[q - offset(t)] W[t]^T, where transposed.visible[t, q] is
/// visible[t, q - offset(t)] if that location is inside the image, else 0. Taps keep their numbers, so the same weights
/// are used; only the sign of the offset changes.
public struct TransposedMask: Equatable, Sendable {
  /// The image's size.
  public let size: ImageSize
  /// The convolution's window.
  public let window: KernelWindow
  /// 1 where the location at minus the tap's offset reads the pixel, else 0: [taps, pixels], tap-major.
  public let visible: [UInt8]

  init(_ mask: LocalMask) {
    let pixels = mask.size.pixels
    var visible = [UInt8](repeating: 0, count: mask.visible.count)
    for tap in 0..<mask.window.taps {
      mask.size.forEachPair(at: mask.window.offset(of: tap)) { pixel, neighbour in
        visible[tap * pixels + neighbour] = mask.visible[tap * pixels + pixel]
      }
    }
    size = mask.size
    window = mask.window
    self.visible = visible
  }
}
