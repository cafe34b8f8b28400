import Kernels
import Tensors
import Tracing

extension LocallyMaskedPixelCNN {
  /// Computes what depends on parameters alone. Due before the first pass and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, workspace: NetworkWorkspace, pool: ThreadPool) {
    precondition(parameters.count == layout.count, "\(parameters.count) parameters for \(layout.count)")
    forEachLayer { $0.prepare(parameters: parameters, effective: workspace.effectiveWeights, pool: pool) }
  }

  /// Writes `workspace.logits` for the images given to `workspace.prepareInput`.
  public func forward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, pool: ThreadPool, trace: Trace? = nil
  ) {
    let pass = forwardPass(parameters, plan, workspace, pool, trace)
    let wide = workspace.rows(workspace.wide)
    let filters = configuration.filters

    initial.forward(pass, x: workspace.rows(workspace.input), y: workspace.rows(workspace.initialOutput))
    // The reference counts the taps of the undilated mask here: the first layer's own mask shows the first pixel nothing.
    pass.normalization.forward(
      x: workspace.rows(workspace.initialOutput), columns: filters, counts: plan.undilated.forward.visibleCounts,
      scale: workspace.rows(workspace.initialScale), pool: pool)

    for group in 0..<3 {
      for index in up[group].indices {
        let saved = workspace.rows(workspace.upBlocks[group][index])
        up[group][index].forward(
          pass, x: upInput(workspace, group, index), skip: nil, saved: saved, wide: wide, isActivated: index > 0,
          activatesOutput: index + 1 < up[group].count)
      }
      if group < 2 {
        dilated(
          pass, downsize[group], x: upInput(workspace, group, up[group].count), workspace.downsizeOutputs[group],
          workspace)
      }
    }
    for group in 0..<3 {
      for index in down[group].indices {
        let saved = workspace.rows(workspace.downBlocks[group][index])
        down[group][index].forward(
          pass, x: downInput(workspace, group, index),
          skip: stackEntry(workspace, skipIndex(group, index)), saved: saved, wide: wide, isActivated: index > 0,
          activatesOutput: index + 1 < down[group].count)
      }
      if group < 2 {
        dilated(
          pass, upsize[group], x: downInput(workspace, group, down[group].count), workspace.upsizeOutputs[group],
          workspace)
      }
    }
    let activated = workspace.rows(workspace.dC)
    ELU.forward(x: downInput(workspace, 2, down[2].count), y: activated, pool: pool)
    output.forward(pass, x: activated, y: workspace.logits)
  }

  /// Writes the gradient of all parameters to `gradient`, given `workspace.dLogits` and the activations that `forward`
  /// left; each layer in the reverse order of `forward`.
  ///
  /// `completed` is told, again and again with smaller values, from which offset of the flat vector on the gradient is
  /// final.
  public func backward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, pool: ThreadPool,
    trace: Trace? = nil, completed: (Int) -> Void
  ) {
    precondition(
      workspace.retention != .nothing && gradient.count == layout.count,
      "LocallyMaskedPixelCNN.backward: no room for gradients")
    let pass = BackwardPass(
      forward: forwardPass(parameters, plan, workspace, pool, trace), gradient: gradient,
      weightScratch: workspace.weightScratch)
    let wide = workspace.rows(workspace.wide)
    let dC = workspace.rows(workspace.dC)
    let dStream = workspace.rows(workspace.dStream)

    let last = downInput(workspace, 2, down[2].count)
    let activated = workspace.rows(workspace.dC)
    ELU.forward(x: last, y: activated, pool: pool)
    output.parameterGradients(pass, x: activated, dy: workspace.dLogits)
    completed(output.firstParameter)
    output.inputGradient(pass, dy: workspace.dLogits, dx: dStream)
    ELU.backward(x: last, dy: dStream, pool: pool)

    for group in (0..<3).reversed() {
      if group < 2 {
        dilatedBackward(
          pass, upsize[group], x: downInput(workspace, group, down[group].count), workspace.upsizeOutputs[group],
          workspace, dStream: dStream, dC: dC, completed: completed)
      }
      for index in down[group].indices.reversed() {
        let entry = skipIndex(group, index)
        let x = downInput(workspace, group, index)
        let skip = stackEntry(workspace, entry)
        let saved = workspace.rows(workspace.downBlocks[group][index])
        // What the last block of the forward pass left is still there.
        if workspace.retention == .outputs && entry > 0 {
          down[group][index].forwardInside(pass.forward, x: x, skip: skip, saved: saved, wide: wide)
        }
        down[group][index].backward(
          pass, x: x, skip: skip, saved: saved, dStream: dStream, dSkip: skipGradient(workspace, entry), wide: wide,
          dC: dC, completed: completed)
      }
    }
    // The way down began with the last entry of the stack; every other entry was also a skip input.
    var entry = stackDepth - 1
    func addSkipGradient() {
      if entry < stackDepth - 1 {
        Addition.add(skipGradient(workspace, entry), to: dStream, pool: pool)
      }
      entry -= 1
    }
    for group in (0..<3).reversed() {
      if group < 2 {
        addSkipGradient()
        dilatedBackward(
          pass, downsize[group], x: upInput(workspace, group, up[group].count), workspace.downsizeOutputs[group],
          workspace, dStream: dStream, dC: dC, completed: completed)
      }
      for index in up[group].indices.reversed() {
        addSkipGradient()
        let x = upInput(workspace, group, index)
        let saved = workspace.rows(workspace.upBlocks[group][index])
        if workspace.retention == .outputs {
          up[group][index].forwardInside(pass.forward, x: x, skip: nil, saved: saved, wide: wide)
        }
        up[group][index].backward(
          pass, x: x, skip: nil, saved: saved, dStream: dStream, dSkip: nil, wide: wide, dC: dC, completed: completed)
      }
    }
    addSkipGradient()
    pass.forward.normalization.backward(
      y: workspace.rows(workspace.initialOutput), columns: configuration.filters,
      scale: workspace.rows(workspace.initialScale), dy: dStream, pool: pool)
    initial.parameterGradients(pass, x: workspace.rows(workspace.input), dy: dStream)
    completed(initial.firstParameter)
  }

  /// Writes to `dInput` `[images * pixels, channels + 1]` the gradient of the input that `workspace.prepareInput` made, the
  /// channel of ones included; to be called after `backward`, with what that was given.
  public func inputGradient(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, dInput: Matrix,
    pool: ThreadPool
  ) {
    let pass = BackwardPass(
      forward: forwardPass(parameters, plan, workspace, pool, nil), gradient: gradient,
      weightScratch: workspace.weightScratch)
    // Of the stream where it begins, which is where the backward ends.
    initial.inputGradient(pass, dy: workspace.rows(workspace.dStream), dx: dInput)
  }

  private func forwardPass(
    _ parameters: FloatBuffer, _ plan: OrderPlan, _ workspace: NetworkWorkspace, _ pool: ThreadPool,
    _ trace: Trace?
  ) -> ForwardPass {
    precondition(
      plan.order.size == workspace.size, "plan of \(plan.order.size) images for a workspace of \(workspace.size)")
    return ForwardPass(
      parameters: parameters, effectiveWeights: workspace.effectiveWeights, plan: plan,
      normalization: configuration.normalization.atLocations, pool: pool, trace: trace)
  }

  /// norm(convolution(x)) between two groups.
  private func dilated(
    _ pass: ForwardPass, _ layer: ConvolutionLayer, x: Matrix, _ saved: (output: Matrix, scale: Matrix),
    _ workspace: NetworkWorkspace
  ) {
    let y = workspace.rows(saved.output)
    layer.forward(pass, x: x, y: y)
    pass.normalization.forward(
      x: y, columns: configuration.filters, counts: pass.plan.dilated.forward.visibleCounts,
      scale: workspace.rows(saved.scale), pool: pass.pool)
  }

  private func dilatedBackward(
    _ pass: BackwardPass, _ layer: ConvolutionLayer, x: Matrix, _ saved: (output: Matrix, scale: Matrix),
    _ workspace: NetworkWorkspace, dStream: Matrix, dC: Matrix, completed: (Int) -> Void
  ) {
    pass.forward.normalization.backward(
      y: workspace.rows(saved.output), columns: configuration.filters, scale: workspace.rows(saved.scale), dy: dStream,
      pool: pass.forward.pool)
    layer.parameterGradients(pass, x: x, dy: dStream)
    completed(layer.firstParameter)
    layer.inputGradient(pass, dy: dStream, dx: dC)
    dStream.copy(from: dC)
  }

  /// The input of block `index` of a group up; with `index` = the number of blocks, the group's output.
  private func upInput(_ workspace: NetworkWorkspace, _ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return workspace.rows(workspace.upBlocks[group][index - 1].output) }
    return workspace.rows(group == 0 ? workspace.initialOutput : workspace.downsizeOutputs[group - 1].output)
  }

  /// The input of block `index` of a group down; with `index` = the number of blocks, the group's output.
  private func downInput(_ workspace: NetworkWorkspace, _ group: Int, _ index: Int) -> Matrix {
    if index > 0 { return workspace.rows(workspace.downBlocks[group][index - 1].output) }
    return group == 0
      ? upInput(workspace, 2, up[2].count) : workspace.rows(workspace.upsizeOutputs[group - 1].output)
  }

  /// Output pushed as entry `index` on the stack: the initial layer's, then per group its blocks' and its dilated
  /// convolution's.
  private func stackEntry(_ workspace: NetworkWorkspace, _ index: Int) -> Matrix {
    guard index > 0 else { return workspace.rows(workspace.initialOutput) }
    let group = (index - 1) / (configuration.blocks + 1)
    let block = (index - 1) % (configuration.blocks + 1)
    return block < configuration.blocks
      ? workspace.rows(workspace.upBlocks[group][block].output)
      : workspace.rows(workspace.downsizeOutputs[group].output)
  }

  /// Stack entry that block `index` of a group down pops; the last entry began the way down.
  func skipIndex(_ group: Int, _ index: Int) -> Int {
    let before = group == 0 ? 0 : configuration.blocks + (group - 1) * (configuration.blocks + 1)
    return stackDepth - 2 - before - index
  }

  /// Where the gradient of stack entry `index` waits for the way up: in the output of the block that popped it, which
  /// nobody reads any more by then.
  private func skipGradient(_ workspace: NetworkWorkspace, _ index: Int) -> Matrix {
    var block = stackDepth - 2 - index
    for group in workspace.downBlocks {
      if block < group.count { return workspace.rows(group[block].output) }
      block -= group.count
    }
    preconditionFailure("LocallyMaskedPixelCNN: no block pops stack entry \(index)")
  }

  func forEachLayer(_ body: (ConvolutionLayer) -> Void) {
    func visit(_ block: GatedResidualBlock) {
      body(block.convInput)
      if let ninSkip = block.ninSkip { body(ninSkip) }
      body(block.convOut)
    }
    body(initial)
    for block in up.joined() { visit(block) }
    for layer in downsize { body(layer) }
    for block in down.joined() { visit(block) }
    for layer in upsize { body(layer) }
    body(output)
  }
}
