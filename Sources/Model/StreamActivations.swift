import Tensors

/// The activations of one stream of blocks that a forward pass leaves for a backward: the first layer's output, then groups
/// of blocks on the way up and on the way down, with a layer between any two groups.
struct StreamActivations: Sendable {
  /// Output of a layer between groups, and what its rows were multiplied by.
  typealias Between = (output: Matrix, scale: Matrix)

  let stack: SkipStack
  let initialOutput: Matrix
  let initialScale: Matrix
  /// `[group][block]`
  let upBlocks: [[GatedResidualBlock.Activations]]
  let downBlocks: [[GatedResidualBlock.Activations]]
  let downsizeOutputs: [Between]
  let upsizeOutputs: [Between]

  /// The input of block `index` of a group up; with `index` = the number of blocks, the group's output.
  func upInput(_ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return upBlocks[group][index - 1].output }
    return group == 0 ? initialOutput : downsizeOutputs[group - 1].output
  }

  /// The input of block `index` of a group down; with `index` = the number of blocks, the group's output.
  func downInput(_ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return downBlocks[group][index - 1].output }
    return group == 0 ? upInput(2, stack.blocks) : upsizeOutputs[group - 1].output
  }

  /// Output pushed as `entry` on the stack.
  func stackEntry(_ entry: Int) -> Matrix {
    guard entry > 0 else { return initialOutput }
    let (group, index) = stack.block(pushing: entry)
    return index < stack.blocks ? upBlocks[group][index].output : downsizeOutputs[group].output
  }

  /// Where the gradient of stack entry `entry` waits for the way up: in the output of the block that popped it, which
  /// nobody reads any more by then.
  func skipGradient(_ entry: Int) -> Matrix {
    let (group, index) = stack.block(popping: entry)
    return downBlocks[group][index].output
  }
}
