import Tensors

/// The activations of one stream of blocks that a forward pass leaves for a backward: the first layer's output, then groups
/// of blocks on the way up and on the way down, with a layer between any two groups.
struct StreamActivations: Sendable {
  let stack: SkipStack
  /// The first layer's output, then that of each stage: `[rows, F]`.
  let values: [Matrix]
  /// Where each of them lies in the backward.
  let valuesAgain: [Matrix]
  /// What the rows of the first layer, then of each stage that is a layer were multiplied by: `[rows, 1]`, of blocks none.
  let scales: [Matrix]
  /// Of each stage that is a block.
  let blocks: [GatedResidualBlock.Activations?]
  /// Where the gradient of each skip waits for the way up, by entry of the stack.
  let skipGradients: [Matrix]
  /// Stages whose insides are in memory together.
  let segments: [Range<Int>]

  /// Block `index` of a group up.
  func upBlock(_ group: Int, _ index: Int) -> GatedResidualBlock.Activations {
    block(stack.stage(up: group, index))
  }

  /// Block `index` of a group down.
  func downBlock(_ group: Int, _ index: Int) -> GatedResidualBlock.Activations {
    block(stack.stage(down: group, index))
  }

  /// The block at place `stage`.
  func block(_ stage: Int) -> GatedResidualBlock.Activations {
    guard let block = blocks[stage] else { preconditionFailure("StreamActivations: stage \(stage) is no block") }
    return block
  }

  /// The input of block `index` of a group up; with `index` = the number of blocks, the group's output.
  func upInput(_ group: Int, _ index: Int) -> Matrix { values[stack.stage(up: group, index)] }

  /// The input of block `index` of a group down; with `index` = the number of blocks, the group's output.
  func downInput(_ group: Int, _ index: Int) -> Matrix { values[stack.stage(down: group, index)] }

  /// What the layer after a group up wrote.
  func downsizeOutput(_ group: Int) -> Matrix { upInput(group + 1, 0) }

  /// What the layer after a group down wrote.
  func upsizeOutput(_ group: Int) -> Matrix { downInput(group + 1, 0) }
}
