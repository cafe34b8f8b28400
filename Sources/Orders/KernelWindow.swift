/// Shape of a masked convolution's window.
public struct KernelWindow: Hashable, Sendable {
  /// Side of the square window; odd.
  public let side: Int
  /// Distance between neighbouring taps, in pixels.
  public let dilation: Int

  /// A `side` x `side` window with taps `dilation` pixels apart.
  public init(side: Int, dilation: Int) {
    precondition(side > 0 && side % 2 == 1 && dilation > 0, "KernelWindow: side \(side), dilation \(dilation)")
    self.side = side
    self.dilation = dilation
  }

  /// Number of taps; tap t is row t / side, column t % side of the window.
  public var taps: Int { side * side }

  /// The tap in the middle, at offset (0, 0).
  public var centerTap: Int { taps / 2 }

  /// Row and column offset of `tap` from the centre, in pixels.
  public func offset(of tap: Int) -> (row: Int, column: Int) {
    ((tap / side - side / 2) * dilation, (tap % side - side / 2) * dilation)
  }
}
