/// The stack of outputs that the way up through the network fills and the way down empties, both by groups of blocks:
/// three groups of `blocks` up, then `blocks`, `blocks` + 1 and `blocks` + 1 down.
///
/// Entry 0 is the first layer's output; then come, group by group, those of its blocks and of the layer after it. The
/// last entry begins the way down, and each block down pops one of the others.
struct SkipStack: Sendable {
  /// Blocks of a group up.
  let blocks: Int

  /// Number of entries.
  var depth: Int { 3 * blocks + 3 }

  /// The entry that block `index` of group `group` down pops.
  func entry(poppedBy group: Int, _ index: Int) -> Int {
    let before = group == 0 ? 0 : blocks + (group - 1) * (blocks + 1)
    return depth - 2 - before - index
  }

  /// The block down that pops `entry`, which is not the last.
  func block(popping entry: Int) -> (group: Int, index: Int) {
    let popped = depth - 2 - entry
    return popped < blocks ? (0, popped) : (1 + (popped - blocks) / (blocks + 1), (popped - blocks) % (blocks + 1))
  }

  /// Group and block up that pushed `entry`, which is not the first; the block after the last is the layer that follows.
  func block(pushing entry: Int) -> (group: Int, index: Int) {
    ((entry - 1) / (blocks + 1), (entry - 1) % (blocks + 1))
  }
}
