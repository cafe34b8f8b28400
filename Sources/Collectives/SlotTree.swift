/// The fixed binary tree by which the gradients of a step's slots are added up:
///
///     node(lo, hi) = node(lo, mid) + node(mid, hi),  mid = lo + the largest power of two strictly below hi - lo.
///
/// Floating-point addition is not associative, so the tree, and nothing else, defines the sum. Ranks own contiguous ranges
/// of slots and add up the whole subtrees inside; adding those up along the rest of the tree gives the same bits on any
/// number of ranks.
///
/// Whoever adds works with a stack: push the next part (a leaf, or a subtree that a rank has finished), then merge the two
/// topmost as often as `merges(after:within:)` says, the upper into the lower.
public struct SlotTree: Sendable, Equatable {
  /// Number of slots (leaves), M.
  public let slots: Int

  /// The tree over slots 0..<`slots`; at least one.
  public init(slots: Int) {
    precondition(slots > 0, "SlotTree: \(slots) slots")
    self.slots = slots
  }

  /// The two halves that `node`, of two or more slots, is the sum of.
  public static func children(of node: Range<Int>) -> (left: Range<Int>, right: Range<Int>) {
    precondition(node.count > 1, "SlotTree: node \(node) has no children")
    let leftCount = 1 << (Int.bitWidth - 1 - (node.count - 1).leadingZeroBitCount)
    let middle = node.lowerBound + leftCount
    return (node.lowerBound..<middle, middle..<node.upperBound)
  }

  /// The slots of `rank` among `ranks`: contiguous, and the first `slots % ranks` ranks have one more. Empty for the last
  /// ranks when there are fewer slots than ranks.
  public func slots(ofRank rank: Int, of ranks: Int) -> Range<Int> {
    precondition(rank >= 0 && rank < ranks, "SlotTree: rank \(rank) of \(ranks)")
    return balancedPart(rank, of: ranks, in: 0..<slots)
  }

  /// The largest nodes that lie in `range`, in slot order: together they are exactly `range`.
  public func maximalSubtrees(in range: Range<Int>) -> [Range<Int>] {
    var found: [Range<Int>] = []
    func visit(_ node: Range<Int>) {
      guard node.overlaps(range) else { return }
      if range.lowerBound <= node.lowerBound && node.upperBound <= range.upperBound {
        found.append(node)
      } else {
        let (left, right) = Self.children(of: node)
        visit(left)
        visit(right)
      }
    }
    visit(0..<slots)
    return found
  }

  /// How many nodes are complete once `part`, itself a node, and everything before it are: the nodes within `range` that
  /// contain `part`, end where it ends and are larger.
  public func merges(after part: Range<Int>, within range: Range<Int>) -> Int {
    var merges = 0
    var node = 0..<slots
    while node != part {
      if node.upperBound == part.upperBound && range.lowerBound <= node.lowerBound
        && node.upperBound <= range.upperBound
      {
        merges += 1
      }
      let (left, right) = Self.children(of: node)
      node = part.lowerBound < left.upperBound ? left : right
    }
    return merges
  }
}

/// Part `index` of `range` cut into `parts` contiguous parts, of which the first `range.count % parts` have one more.
func balancedPart(_ index: Int, of parts: Int, in range: Range<Int>) -> Range<Int> {
  let (quotient, remainder) = range.count.quotientAndRemainder(dividingBy: parts)
  let start = range.lowerBound + index * quotient + min(index, remainder)
  return start..<(start + quotient + (index < remainder ? 1 : 0))
}
