/// One step of a stream of the network between its first layer and its last: a block, or the layer between two groups of
/// blocks.
enum NetworkStage: Sendable, Hashable {
  case up(group: Int, index: Int)
  case downsize(group: Int)
  case down(group: Int, index: Int)
  case upsize(group: Int)

  var isBlock: Bool {
    switch self {
    case .up, .down: true
    case .downsize, .upsize: false
    }
  }

  /// Whether it is a block with a skip input.
  var hasSkip: Bool { if case .down = self { true } else { false } }
}

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

  /// All stages in the order of the forward pass. Stage n on the way up pushes entry n + 1.
  var stages: [NetworkStage] {
    var stages: [NetworkStage] = []
    for group in 0..<3 {
      stages += (0..<blocks).map { .up(group: group, index: $0) }
      if group < 2 { stages.append(.downsize(group: group)) }
    }
    for group in 0..<3 {
      stages += (0..<(group == 0 ? blocks : blocks + 1)).map { .down(group: group, index: $0) }
      if group < 2 { stages.append(.upsize(group: group)) }
    }
    return stages
  }

  /// The place of block `index` of group `group` up among all stages; the block after the last is the layer that follows.
  func stage(up group: Int, _ index: Int) -> Int { group * (blocks + 1) + index }

  /// The place of block `index` of group `group` down among all stages; the block after the last is the layer that
  /// follows.
  func stage(down group: Int, _ index: Int) -> Int {
    depth - 1 + (group == 0 ? 0 : blocks + 1 + (group - 1) * (blocks + 2)) + index
  }

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
