/// The pixels of an image, grouped by which taps are visible to them.
///
/// All pixels of a group multiply the same rows of the weights, so each group is one dense matrix product over its
/// visible taps alone.
public struct PatternGroups: Equatable, Sendable {
  /// Pixels that see the same taps.
  public struct Group: Equatable, Sendable {
    /// The visible taps, ascending; empty for pixels that see nothing.
    public let taps: [Int]
    /// The pixels (row * columns + column), ascending; at least one.
    public let pixels: [Int32]
  }

  /// The groups in the order of their first pixels; each pixel of the image is in exactly one.
  public let groups: [Group]

  /// The groups of a convolution: tap t of pixel p reads p + offset(t).
  public init(_ mask: LocalMask) {
    self.init(visible: mask.visible, taps: mask.window.taps, pixels: mask.size.pixels)
  }

  /// The groups of a convolution's input gradient: tap t of pixel q reads q - offset(t).
  public init(_ mask: TransposedMask) {
    self.init(visible: mask.visible, taps: mask.window.taps, pixels: mask.size.pixels)
  }

  // Splits one group of all pixels tap by tap. No pattern is ever a key, so a window may have any number of taps.
  private init(visible: [UInt8], taps: Int, pixels: Int) {
    var groupOfPixel = [Int](repeating: 0, count: pixels)
    var groupCount = 1
    for tap in 0..<taps {
      // splits[2 g + v]: the new number of the part of group g that sees the tap (v = 1) or does not (v = 0). Numbers
      // are given out in the order of pixels, which in the end sorts the groups by their first pixel.
      var splits = [Int](repeating: -1, count: 2 * groupCount)
      groupCount = 0
      for pixel in 0..<pixels {
        let part = 2 * groupOfPixel[pixel] + Int(visible[tap * pixels + pixel])
        if splits[part] < 0 {
          splits[part] = groupCount
          groupCount += 1
        }
        groupOfPixel[pixel] = splits[part]
      }
    }

    var members = [[Int32]](repeating: [], count: groupCount)
    for pixel in 0..<pixels { members[groupOfPixel[pixel]].append(Int32(pixel)) }
    groups = members.map { members in
      let visibleTaps = (0..<taps).filter { visible[$0 * pixels + Int(members[0])] != 0 }
      return Group(taps: visibleTaps, pixels: members)
    }
  }
}
