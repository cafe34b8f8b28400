import Model
import Orders
import Tensors
import TestSupport
import Testing

/// What makes the network a model of images at all: no pixel's distribution depends on itself or on later pixels.
struct AutoregressivePropertyTests {
  @Test(arguments: try ExampleNetwork.all())
  func aPixelReachesLaterLogitsOnly(example: ExampleNetwork) throws {
    let run = example.run()
    let channels = example.network.configuration.channels
    let top = example.network.configuration.distribution.levels - 1
    let pixels = example.size.pixels
    let positions = example.plan.order.positions
    let rows = (0..<(example.images * pixels)).map { $0 }
    func logits(_ levels: [UInt8]) -> [[UInt32]] {
      let logits = run.forward(levels, plan: example.plan)
      return rows.map { row in (0..<logits.columns).map { logits[row, $0].bitPattern } }
    }
    let before = logits(example.levels)
    var reached = 0
    for pixel in 0..<pixels {
      // Only the first image changes.
      var levels = example.levels
      for channel in 0..<channels {
        let index = pixel * channels + channel
        // Never the level itself: the top one is odd.
        levels[index] = UInt8(top) - levels[index]
      }
      let after = logits(levels)
      let changed = rows.filter { before[$0] != after[$0] }
      let misplaced = changed.filter { $0 >= pixels || positions[$0] <= positions[pixel] }
      #expect(misplaced.isEmpty, "pixel \(pixel) changes the logits of \(misplaced)")
      reached += changed.count
    }
    // In a small image, nearly all pixels reach nearly all later ones.
    #expect(reached > pixels * (pixels - 1) / 4, "only \(reached) logits depend on earlier pixels")
  }

  /// What a completion relies on: it begins with the missing pixels unknown.
  @Test(arguments: try ExampleNetwork.locallyMasked())
  func missingPixelsReachNoObservedOne(example: ExampleNetwork) {
    let pixels = example.size.pixels
    let channels = example.network.configuration.channels
    let observed: Set<Int> = [3, 7, 8, 19]
    let plan = OrderPlan(order: example.plan.order.observedFirst(observed), windows: example.network.windows)
    let run = example.run()
    func logits(_ levels: [UInt8]) -> [[UInt32]] {
      let logits = run.forward(levels, plan: plan)
      return (0..<logits.rows).filter { observed.contains($0 % pixels) }.map { row in
        (0..<logits.columns).map { logits[row, $0].bitPattern }
      }
    }
    var blanked = example.levels
    for index in blanked.indices where !observed.contains(index / channels % pixels) { blanked[index] = 0 }
    #expect(blanked != example.levels)
    #expect(logits(blanked) == logits(example.levels))
  }
}
