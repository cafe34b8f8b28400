import Kernels
import Tensors
import Tracing

extension LocallyMaskedPixelCNN {
  /// Computes what depends on parameters alone. Due before the first pass and whenever `parameters` have changed.
  public func prepare(parameters: FloatBuffer, workspace: NetworkWorkspace, pool: ThreadPool) {
    precondition(parameters.count == layout.count, "\(parameters.count) parameters for \(layout.count)")
    forEachLayer { $0.prepare(parameters: parameters, effective: workspace.effectiveWeights, pool: pool) }
  }

  /// Writes `workspace.logits` for the images given to `workspace.prepareInput`. `observe` is told what each layer and block
  /// computed.
  public func forward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, pool: ThreadPool, trace: Trace? = nil,
    observe: LayerObserver? = nil
  ) {
    let pass = forwardPass(parameters, plan, workspace, pool, trace)
    let stream = workspace.u
    let first = workspace.rows(stream.values[0])

    forwardInitial(pass, workspace, y: first)
    observe?(LayerOutput(layer: layout.layerName(initial.firstEntry), size: workspace.size, values: first))
    for (number, stage) in stages.enumerated() {
      let x = workspace.rows(stream.values[number])
      let y = workspace.rows(stream.values[number + 1])
      if let block = block(stage) {
        block.forward(
          pass, x: x, skip: skip(stage, workspace), saved: workspace.rows(stream.block(number)),
          wide: workspace.rows(workspace.wide), isActivated: isBlock(number - 1), activatesOutput: isBlock(number + 1))
        observe?(LayerOutput(layer: block.name, size: workspace.size, values: y))
      } else {
        let layer = layer(stage)
        dilated(pass, layer, x: x, y: y, scale: workspace.rows(stream.scales[number + 1]))
        observe?(LayerOutput(layer: layout.layerName(layer.firstEntry), size: workspace.size, values: y))
      }
    }
    ELU.forward(x: workspace.rows(stream.values[stages.count]), y: workspace.activated, pool: pool)
    output.forward(pass, x: workspace.activated, y: workspace.logits)
    observe?(
      LayerOutput(layer: layout.layerName(output.firstEntry), size: workspace.size, values: workspace.logits))
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
    let dStream = workspace.rows(workspace.dStream)

    let last = workspace.rows(stream.values[stages.count])
    ELU.forward(x: last, y: workspace.activated, pool: pool)
    output.parameterGradients(pass, x: workspace.activated, dy: workspace.dLogits)
    completed(output.firstParameter)
    output.inputGradient(pass, dy: workspace.dLogits, dx: dStream)
    ELU.backward(x: last, dy: dStream, pool: pool)

    for segment in stream.segments.reversed() {
      // What the last of them left in the forward pass is still there.
      if workspace.retention == .outputs && segment.upperBound < stages.count {
        recompute(segment, pass.forward, workspace)
      }
      for number in segment.reversed() {
        addSkipGradient(ofValue: number + 1, to: dStream, workspace, pool)
        backward(number, of: segment, pass, workspace, dStream: dStream, completed: completed)
      }
    }
    addSkipGradient(ofValue: 0, to: dStream, workspace, pool)
    pass.forward.normalization.backward(
      y: workspace.rows(stream.valuesAgain[0]), columns: configuration.filters,
      scale: workspace.rows(stream.scales[0]), dy: dStream, pool: pool)
    initial.parameterGradients(pass, x: workspace.rows(workspace.input), dy: dStream)
    completed(initial.firstParameter)
  }

  /// Turns `dStream` from the gradient of stage `number`'s output into that of its input.
  private func backward(
    _ number: Int, of segment: Range<Int>, _ pass: BackwardPass, _ workspace: NetworkWorkspace, dStream: Matrix,
    completed: (Int) -> Void
  ) {
    let stream = workspace.u
    let stage = stages[number]
    let x = workspace.rows(stream.valuesAgain[number])
    guard let block = block(stage) else {
      dilatedBackward(
        pass, layer(stage), x: x, y: workspace.rows(stream.valuesAgain[number + 1]),
        scale: workspace.rows(stream.scales[number + 1]), dStream: dStream, dX: workspace.layerScratch,
        completed: completed)
      return
    }
    let saved = workspace.rows(stream.block(number))
    let skip = skip(stage, workspace)
    let wide = workspace.rows(workspace.wide)
    if workspace.retention == .outputs && segment.dropFirst(number + 1 - segment.lowerBound).contains(where: isBlock) {
      block.forwardSum(pass.forward, skip: skip, saved: saved, wide: wide)
    }
    block.backward(
      pass, x: x, skip: skip, saved: saved, dStream: dStream, dSkip: skipGradient(stage, workspace), wide: wide,
      dC: workspace.rows(workspace.dC), completed: completed)
  }

  /// Computes what is inside the blocks of `segment` and between its stages once more.
  private func recompute(_ segment: Range<Int>, _ pass: ForwardPass, _ workspace: NetworkWorkspace) {
    let stream = workspace.u
    if segment.lowerBound == 0 { forwardInitial(pass, workspace, y: workspace.rows(stream.valuesAgain[0])) }
    for number in segment {
      let stage = stages[number]
      let isLast = number + 1 == segment.upperBound
      let x = workspace.rows(stream.valuesAgain[number])
      let y = workspace.rows(stream.valuesAgain[number + 1])
      guard let block = block(stage) else {
        // What the last stage wrote is still there.
        if !isLast { dilated(pass, layer(stage), x: x, y: y, scale: workspace.rows(stream.scales[number + 1])) }
        continue
      }
      let saved = workspace.rows(stream.block(number)).writing(output: y)
      let skip = skip(stage, workspace)
      let wide = workspace.rows(workspace.wide)
      let isActivated = number > segment.lowerBound && isBlock(number - 1)
      if isLast {
        block.forwardInside(pass, x: x, skip: skip, saved: saved, wide: wide, isActivated: isActivated)
      } else {
        block.forward(
          pass, x: x, skip: skip, saved: saved, wide: wide, isActivated: isActivated,
          activatesOutput: isBlock(number + 1))
      }
    }
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

  // MARK: Stages

  private func isBlock(_ stage: Int) -> Bool { stages.indices.contains(stage) && stages[stage].isBlock }

  /// The block that `stage` is.
  private func block(_ stage: NetworkStage) -> GatedResidualBlock? {
    switch stage {
    case .up(let group, let index): up[group][index]
    case .down(let group, let index): down[group][index]
    case .downsize, .upsize: nil
    }
  }

  /// The layer that `stage` is.
  private func layer(_ stage: NetworkStage) -> ConvolutionLayer {
    switch stage {
    case .downsize(let group): downsize[group]
    case .upsize(let group): upsize[group]
    case .up, .down: preconditionFailure("\(stage) is a block")
    }
  }

  /// The skip input of `stage`.
  private func skip(_ stage: NetworkStage, _ workspace: NetworkWorkspace) -> Matrix? {
    guard case .down(let group, let index) = stage else { return nil }
    return workspace.rows(workspace.u.values[stack.entry(poppedBy: group, index)])
  }

  /// Where the gradient of the skip input of `stage` goes.
  private func skipGradient(_ stage: NetworkStage, _ workspace: NetworkWorkspace) -> Matrix? {
    guard case .down(let group, let index) = stage else { return nil }
    return workspace.rows(workspace.u.skipGradients[stack.entry(poppedBy: group, index)])
  }

  /// The way down began with the last entry of the stack; every other entry was also a skip input.
  private func addSkipGradient(
    ofValue entry: Int, to dStream: Matrix, _ workspace: NetworkWorkspace, _ pool: ThreadPool
  ) {
    guard entry < stack.depth - 1 else { return }
    Addition.add(workspace.rows(workspace.u.skipGradients[entry]), to: dStream, pool: pool)
  }

  // MARK: Layers

  /// norm(convolution(input)), the first layer.
  private func forwardInitial(_ pass: ForwardPass, _ workspace: NetworkWorkspace, y: Matrix) {
    initial.forward(pass, x: workspace.rows(workspace.input), y: y)
    // The reference counts the taps of the undilated mask here: the first layer's own mask shows the first pixel nothing.
    pass.normalization.forward(
      x: y, columns: configuration.filters, counts: pass.plan.pair(.undilated).forward.visibleCounts,
      scale: workspace.rows(workspace.u.scales[0]), pool: pass.pool)
  }

  /// norm(convolution(x)) between two groups.
  private func dilated(_ pass: ForwardPass, _ layer: ConvolutionLayer, x: Matrix, y: Matrix, scale: Matrix) {
    layer.forward(pass, x: x, y: y)
    pass.normalization.forward(
      x: y, columns: configuration.filters, counts: pass.plan.pair(.dilated).forward.visibleCounts, scale: scale,
      pool: pass.pool)
  }

  /// `dX` `[rows, F]` is scratch.
  private func dilatedBackward(
    _ pass: BackwardPass, _ layer: ConvolutionLayer, x: Matrix, y: Matrix, scale: Matrix, dStream: Matrix, dX: Matrix,
    completed: (Int) -> Void
  ) {
    pass.forward.normalization.backward(
      y: y, columns: configuration.filters, scale: scale, dy: dStream, pool: pass.forward.pool)
    layer.parameterGradients(pass, x: x, dy: dStream)
    completed(layer.firstParameter)
    layer.inputGradient(pass, dy: dStream, dx: dX)
    dStream.copy(from: dX)
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
