import Orders
import Testing

@Suite struct PatternGroupsTests {
  @Test func groupsOfASmallRasterScan() throws {
    let order = try GenerationOrder(base: .rasterScan, size: ImageSize(rows: 2, columns: 4))
    let mask = LocalMask(order: order, window: KernelWindow(side: 3, dilation: 1), type: .a)
    let groups = PatternGroups(mask).groups
    #expect(groups.map(\.taps) == [[], [3], [1, 2], [0, 1, 2, 3], [0, 1, 3]])
    #expect(groups.map(\.pixels) == [[0], [1, 2, 3], [4], [5, 6], [7]])
    // Pixel 0 is read from the right (tap 3), from below (1), and from below on the right (0).
    let transposed = PatternGroups(mask.transposed).groups
    #expect(transposed.map(\.taps) == [[0, 1, 3], [0, 1, 2, 3], [1, 2], [3], []])
    #expect(transposed.map(\.pixels) == [[0], [1, 2], [3], [4, 5, 6], [7]])
  }

  @Test func sCurveHasEightPatterns() throws {
    let order = try GenerationOrder(base: .sCurve, size: ImageSize(rows: 32, columns: 32))
    let mask = LocalMask(order: order, window: KernelWindow(side: 3, dilation: 1), type: .b)
    #expect(PatternGroups(mask).groups.count == 8)
  }

  @Test(arguments: try MaskCase.all()) func groupsPartitionThePixelsByPattern(testCase: MaskCase) {
    let mask = testCase.mask
    check(PatternGroups(mask), visible: mask.visible, pixels: mask.size.pixels)
    check(PatternGroups(mask.transposed), visible: mask.transposed.visible, pixels: mask.size.pixels)
  }

  private func check(_ patterns: PatternGroups, visible: [UInt8], pixels: Int) {
    let groups = patterns.groups
    #expect(groups.flatMap(\.pixels).sorted() == (0..<Int32(pixels)).map { $0 })
    #expect(Set(groups.map(\.taps)).count == groups.count, "a pattern has two groups")
    #expect(groups.compactMap(\.pixels.first) == groups.compactMap(\.pixels.first).sorted())
    for group in groups {
      #expect(group.pixels == group.pixels.sorted())
      for pixel in group.pixels {
        #expect(group.taps == visibleTaps(of: Int(pixel), in: visible, pixels: pixels))
      }
    }
  }
}
