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
    let stream = workspace.u
    let wide = workspace.rows(workspace.wide)
    let filters = configuration.filters

    initial.forward(pass, x: workspace.rows(workspace.input), y: workspace.rows(stream.initialOutput))
    // The reference counts the taps of the undilated mask here: the first layer's own mask shows the first pixel nothing.
    pass.normalization.forward(
      x: workspace.rows(stream.initialOutput), columns: filters, counts: plan.pair(.undilated).forward.visibleCounts,
      scale: workspace.rows(stream.initialScale), pool: pool)

    for group in 0..<3 {
      for index in up[group].indices {
        let saved = workspace.rows(stream.upBlocks[group][index])
        up[group][index].forward(
          pass, x: workspace.rows(stream.upInput(group, index)), skip: nil, saved: saved, wide: wide,
          isActivated: index > 0,
          activatesOutput: index + 1 < up[group].count)
      }
      if group < 2 {
        dilated(
          pass, downsize[group], x: workspace.rows(stream.upInput(group, up[group].count)),
          stream.downsizeOutputs[group],
          workspace)
      }
    }
    for group in 0..<3 {
      for index in down[group].indices {
        let saved = workspace.rows(stream.downBlocks[group][index])
        down[group][index].forward(
          pass, x: workspace.rows(stream.downInput(group, index)),
          skip: workspace.rows(stream.stackEntry(stack.entry(poppedBy: group, index))), saved: saved, wide: wide,
          isActivated: index > 0,
          activatesOutput: index + 1 < down[group].count)
      }
      if group < 2 {
        dilated(
          pass, upsize[group], x: workspace.rows(stream.downInput(group, down[group].count)),
          stream.upsizeOutputs[group],
          workspace)
      }
    }
    let activated = workspace.rows(workspace.dC)
    ELU.forward(x: workspace.rows(stream.downInput(2, down[2].count)), y: activated, pool: pool)
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
    let stream = workspace.u
    let wide = workspace.rows(workspace.wide)
    let dC = workspace.rows(workspace.dC)
    let dStream = workspace.rows(workspace.dStream)

    let last = workspace.rows(stream.downInput(2, down[2].count))
    let activated = workspace.rows(workspace.dC)
    ELU.forward(x: last, y: activated, pool: pool)
    output.parameterGradients(pass, x: activated, dy: workspace.dLogits)
    completed(output.firstParameter)
    output.inputGradient(pass, dy: workspace.dLogits, dx: dStream)
    ELU.backward(x: last, dy: dStream, pool: pool)

    for group in (0..<3).reversed() {
      if group < 2 {
        dilatedBackward(
          pass, upsize[group], x: workspace.rows(stream.downInput(group, down[group].count)),
          stream.upsizeOutputs[group],
          workspace, dStream: dStream, dC: dC, completed: completed)
      }
      for index in down[group].indices.reversed() {
        let entry = stack.entry(poppedBy: group, index)
        let x = workspace.rows(stream.downInput(group, index))
        let skip = workspace.rows(stream.stackEntry(entry))
        let saved = workspace.rows(stream.downBlocks[group][index])
        // What the last block of the forward pass left is still there.
        if workspace.retention == .outputs && entry > 0 {
          down[group][index].forwardInside(pass.forward, x: x, skip: skip, saved: saved, wide: wide)
        }
        down[group][index].backward(
          pass, x: x, skip: skip, saved: saved, dStream: dStream, dSkip: workspace.rows(stream.skipGradient(entry)),
          wide: wide,
          dC: dC, completed: completed)
      }
    }
    // The way down began with the last entry of the stack; every other entry was also a skip input.
    var entry = stack.depth - 1
    func addSkipGradient() {
      if entry < stack.depth - 1 {
        Addition.add(workspace.rows(stream.skipGradient(entry)), to: dStream, pool: pool)
      }
      entry -= 1
    }
    for group in (0..<3).reversed() {
      if group < 2 {
        addSkipGradient()
        dilatedBackward(
          pass, downsize[group], x: workspace.rows(stream.upInput(group, up[group].count)),
          stream.downsizeOutputs[group],
          workspace, dStream: dStream, dC: dC, completed: completed)
      }
      for index in up[group].indices.reversed() {
        addSkipGradient()
        let x = workspace.rows(stream.upInput(group, index))
        let saved = workspace.rows(stream.upBlocks[group][index])
        if workspace.retention == .outputs {
          up[group][index].forwardInside(pass.forward, x: x, skip: nil, saved: saved, wide: wide)
        }
        up[group][index].backward(
          pass, x: x, skip: nil, saved: saved, dStream: dStream, dSkip: nil, wide: wide, dC: dC, completed: completed)
      }
    }
    addSkipGradient()
    pass.forward.normalization.backward(
      y: workspace.rows(stream.initialOutput), columns: configuration.filters,
      scale: workspace.rows(stream.initialScale), dy: dStream, pool: pool)
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
      x: y, columns: configuration.filters, counts: pass.plan.pair(.dilated).forward.visibleCounts,
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
