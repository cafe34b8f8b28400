import Testing

import Collectives

struct SlotTreeTests {
  /// The sum as the definition says, written as text, so that every association shows.
  private func defined(_ node: Range<Int>) -> String {
    guard node.count > 1 else { return "\(node.lowerBound)" }
    var left = 1
    while left * 2 < node.count { left *= 2 }
    let middle = node.lowerBound + left
    return "(" + defined(node.lowerBound..<middle) + "+" + defined(middle..<node.upperBound) + ")"
  }

  /// Adds up `parts` with a stack, as ranks do.
  private func merged(_ parts: [(node: Range<Int>, sum: String)], in tree: SlotTree, within range: Range<Int>)
    -> [String]
  {
    var stack: [String] = []
    for part in parts {
      stack.append(part.sum)
      for _ in 0..<tree.merges(after: part.node, within: range) {
        let upper = stack.removeLast()
        stack.append("(\(stack.removeLast())+\(upper))")
      }
    }
    return stack
  }

  @Test func childrenSplitAtTheLargestPowerOfTwo() {
    #expect(SlotTree.children(of: 0..<2).left == 0..<1)
    #expect(SlotTree.children(of: 0..<8).left == 0..<4)
    #expect(SlotTree.children(of: 3..<8).left == 3..<7)
    #expect(SlotTree.children(of: 0..<9).left == 0..<8)
    #expect(SlotTree.children(of: 0..<9).right == 8..<9)
  }

  @Test func anyNumberOfRanksAddsAlongTheSameTree() {
    for slots in 1...64 {
      let tree = SlotTree(slots: slots)
      let expected = defined(0..<slots)
      for ranks in 1...16 {
        var parts: [(node: Range<Int>, sum: String)] = []
        for rank in 0..<ranks {
          let own = tree.slots(ofRank: rank, of: ranks)
          let subtrees = tree.maximalSubtrees(in: own)
          let leaves = own.map { (node: $0..<($0 + 1), sum: "\($0)") }
          let sums = merged(leaves, in: tree, within: own)
          #expect(sums == subtrees.map { defined($0) }, "\(slots) slots, rank \(rank) of \(ranks)")
          parts += zip(subtrees, sums).map { ($0, $1) }
        }
        #expect(merged(parts, in: tree, within: 0..<slots) == [expected], "\(slots) slots, \(ranks) ranks")
      }
    }
  }

  @Test func ranksOwnBalancedContiguousSlots() {
    for slots in 1...40 {
      for ranks in 1...16 {
        let owned = (0..<ranks).map { SlotTree(slots: slots).slots(ofRank: $0, of: ranks) }
        #expect(owned.flatMap { Array($0) } == Array(0..<slots))
        #expect(owned.enumerated().allSatisfy { $1.count == slots / ranks + ($0 < slots % ranks ? 1 : 0) })
      }
    }
  }

  @Test func fewSubtreesAreExposed() {
    let tree = SlotTree(slots: 8)
    #expect(tree.maximalSubtrees(in: 0..<8) == [0..<8])
    #expect(tree.maximalSubtrees(in: 4..<8) == [4..<8])
    #expect(tree.maximalSubtrees(in: 1..<8) == [1..<2, 2..<4, 4..<8])
    #expect(tree.maximalSubtrees(in: 3..<3) == [])
  }
}
