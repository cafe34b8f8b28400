import Tensors
import Testing

import Collectives

struct GradientReductionTests {
  private let count = 5000

  private func gradient(_ slot: Int) -> [Float] {
    var random = KeyedGenerator(seed: 1, purpose: .dropout, slot: slot)
    return (0..<count).map { _ in random.uniform() * 100 - 50 }
  }

  private func treeSum(_ node: Range<Int>) -> [Float] {
    guard node.count > 1 else { return gradient(node.lowerBound) }
    let (left, right) = SlotTree.children(of: node)
    return zip(treeSum(left), treeSum(right)).map { $0 + $1 }
  }

  @Test(arguments: [
    // A gradient and the sums of 1, 2 and 4 slots wait at the same time before the last of 8 slots is added.
    (slots: 8, rank: 0, ranks: 1, vectors: 4),
    (slots: 8, rank: 1, ranks: 4, vectors: 2),
    (slots: 8, rank: 7, ranks: 8, vectors: 1),
    (slots: 2, rank: 2, ranks: 3, vectors: 1),
  ])
  func itsMemoryIsKnownBeforeItIsAllocated(slots: Int, rank: Int, ranks: Int, vectors: Int) {
    #expect(GradientReduction.bytes(count: 100, slots: slots, rank: rank, ranks: ranks) == vectors * 100 * 4)
  }

  @Test(arguments: [1, 2, 3, 4, 7, 8])
  func aloneItSumsAlongTheTreeInEveryStep(slots: Int) throws {
    let reduction = GradientReduction(
      count: count, slots: slots, communicator: SingleProcessCommunicator(), bucketBytes: 4096)
    for step in 0..<2 {
      reduction.beginStep(step)
      for slot in reduction.localSlots {
        let values = gradient(slot)
        for start in stride(from: count - 500, through: 0, by: -500) {
          // Nothing before `start` is final yet: what is there must not be used.
          reduction.leaf.write([Float](repeating: .nan, count: start), at: 0)
          reduction.leaf.write(Array(values[start..<(start + 500)]), at: start)
          reduction.didComplete(from: start)
        }
        reduction.finishSlot()
      }
      try reduction.finishStep()
      #expect(reduction.sum.values == treeSum(0..<slots))
    }
  }

  @Test func normIsThatOfTheWholeVector() throws {
    let reduction = GradientReduction(count: count, slots: 1, communicator: SingleProcessCommunicator())
    reduction.beginStep(0)
    reduction.leaf.write(gradient(0), at: 0)
    reduction.finishSlot()
    try reduction.finishStep()
    let plain = gradient(0).reduce(0.0) { $0 + Double($1) * Double($1) }.squareRoot()
    #expect(abs(try reduction.gradientNorm() - plain) < 1e-11 * plain)
  }

  @Test func memoryIsTheLogarithmOfTheSlots() throws {
    let reduction = GradientReduction(count: 8, slots: 16, communicator: SingleProcessCommunicator())
    var leaves = Set<ObjectIdentifier>()
    reduction.beginStep(0)
    for _ in reduction.localSlots {
      leaves.insert(ObjectIdentifier(reduction.leaf))
      reduction.finishSlot()
    }
    try reduction.finishStep()
    #expect(leaves.count == 5)
  }

  @Test func slotValuesComeInSlotOrder() throws {
    let reduction = GradientReduction(count: 8, slots: 3, communicator: SingleProcessCommunicator())
    #expect(try reduction.gatherSlotValues([3, 1, 2]) == [3, 1, 2])
  }
}
