import Kernels
import Orders
import Testing

struct NeighbourPlanTests {
  @Test(arguments: try ConvolutionExample.all())
  func listsTheMaskBlockByBlockAndTapByTap(example: ConvolutionExample) {
    let mask = example.mask
    check(example.plan, mask.visible, mask, sign: 1)
    check(example.transposedPlan, mask.transposed.visible, mask, sign: -1)
    #expect(example.plan.visibleCounts == mask.visibleCounts.map(Int32.init))
  }

  private func check(_ plan: NeighbourPlan, _ visible: [UInt8], _ mask: LocalMask, sign: Int) {
    let window = mask.window
    let pixels = mask.size.pixels
    #expect(plan.inputPixels == pixels && plan.outputPixels == pixels)
    #expect(plan.taps == window.taps)
    #expect(plan.blocks * NeighbourPlan.blockPixels >= pixels && (plan.blocks - 1) * NeighbourPlan.blockPixels < pixels)
    #expect(plan.starts.count == plan.blocks * plan.taps + 1)
    #expect(plan.visibleTaps == visible.count { $0 != 0 })
    for tap in 0..<plan.taps {
      let offset = window.offset(of: tap)
      #expect(Int(plan.shifts[tap]) == sign * (offset.row * mask.size.columns + offset.column))
      for block in 0..<plan.blocks {
        let index = block * plan.taps + tap
        let list = plan.pixels[Int(plan.starts[index])..<Int(plan.starts[index + 1])].map(Int.init)
        let range = (block * NeighbourPlan.blockPixels)..<min((block + 1) * NeighbourPlan.blockPixels, pixels)
        #expect(list == range.filter { visible[tap * pixels + $0] != 0 }, "block \(block), tap \(tap)")
      }
    }
  }

  @Test func pointwisePlanShowsEveryPixelItself() {
    let plan = NeighbourPlan.pointwise(size: ImageSize(rows: 17, columns: 16))
    #expect(plan.taps == 1)
    #expect(plan.shifts == [0])
    #expect(plan.pixels == (0..<272).map { $0 })
    #expect(plan.starts == [0, 256, 272])
    #expect(plan.visibleCounts == [Int32](repeating: 1, count: 272))
  }
}
