/// Which outputs of a stream's stages stay in memory where activations are computed anew in the backward, and in which
/// rooms of it they and the gradients of the skips lie.
///
/// Stages are recomputed two at a time: the output between the two is not kept, and what is inside both is there when the
/// backward comes to the second, so that nothing is computed more than once again. A layer between groups down joins the
/// two before it, for it has nothing inside. Outputs on the way up have to stay until the way down has read them; from
/// then on, the gradient of the skip takes the place of those that will be computed anew. Other gradients take the rooms
/// of outputs on the way down that nobody reads any more.
///
/// docs/rematerialization.md has the alternatives and the count.
struct RematerializationSchedule: Sendable {
  /// A place for `[rows, F]`.
  enum Room: Sendable, Hashable {
    /// One of `rooms`.
    case kept(Int)
    /// For what is between two blocks that are recomputed together.
    case passing
    /// In the scratch memory of blocks: for what comes before a layer and is read before the next block.
    case scratch
  }

  /// Stages that are computed anew together.
  let segments: [Range<Int>]
  /// Of value n, which is the first layer's output or that of stage n - 1: where the forward pass puts it.
  let values: [Room]
  /// Where it lies when the backward comes to its reader: another room where a skip's gradient has the first.
  let valuesAgain: [Room]
  /// Of each entry of the stack but the last: where the gradient of the skip waits for the way up.
  let skipGradients: [Room]
  /// Number of rooms that last.
  let rooms: Int

  init(stack: SkipStack) {
    let stages = stack.stages
    let segments = Self.segments(of: stages)
    // All entries but the last are skips, too.
    let entries = stack.depth - 1
    var rooms = entries
    var values = (0...stages.count).map { Room.kept($0) }
    for segment in segments {
      for value in (segment.lowerBound + 1)...segment.upperBound where value >= entries {
        if value == stages.count || value == segment.lowerBound + 2 && value < segment.upperBound {
          values[value] = .scratch
        } else if value < segment.upperBound {
          values[value] = .passing
        } else {
          values[value] = .kept(rooms)
          rooms += 1
        }
      }
    }

    // The backward step by step: which rooms nobody reads any more, and who takes them.
    var free: [Room] = []
    func takeRoom() -> Room {
      if let room = free.popLast() { return room }
      rooms += 1
      return .kept(rooms - 1)
    }
    var valuesAgain = values
    var skipGradients = [Room](repeating: .passing, count: entries)
    for segment in segments.reversed() {
      if segment.lowerBound == 0 { valuesAgain[0] = takeRoom() }
      func release(after stage: Int) {
        if stage + 1 == segment.upperBound, stage + 1 >= entries, case .kept = values[stage + 1] {
          free.append(values[stage + 1])
        }
      }
      for stage in segment.reversed() {
        switch stages[stage] {
        case .down(let group, let index):
          // A block's output is not read by its own backward.
          release(after: stage)
          let entry = stack.entry(poppedBy: group, index)
          let isComputedAnew = entry == 0 || !segments.contains { $0.lowerBound == entry }
          skipGradients[entry] = isComputedAnew ? values[entry] : takeRoom()
          if isComputedAnew { valuesAgain[entry] = .passing }
        case .upsize: release(after: stage)
        case .up, .downsize:
          if stage + 1 < entries && skipGradients[stage + 1] != values[stage + 1] {
            free.append(skipGradients[stage + 1])
          }
        }
      }
    }
    self.segments = segments
    self.values = values
    self.valuesAgain = valuesAgain
    self.skipGradients = skipGradients
    self.rooms = rooms
  }

  private static func segments(of stages: [NetworkStage]) -> [Range<Int>] {
    var segments: [Range<Int>] = []
    var start = 0
    while start < stages.count {
      var end = min(start + 2, stages.count)
      if end < stages.count, case .upsize = stages[end], stages[start..<end].allSatisfy(\.isBlock) { end += 1 }
      segments.append(start..<end)
      start = end
    }
    return segments
  }

  /// Whether a block of the same segment comes after `stage`, which needs the shared memory for what is inside a block.
  func isFollowed(_ stage: Int, among stages: [NetworkStage]) -> Bool {
    segments.contains { $0.contains(stage) && stages[(stage + 1)..<$0.upperBound].contains(where: \.isBlock) }
  }
}
