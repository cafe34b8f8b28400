import Kernels
import Tensors
import Tracing

extension PixelCNNPlusPlus {
  /// Computes what depends on parameters alone. Due before the first pass and whenever `parameters` have changed.
  func prepare(parameters: FloatBuffer, effective: FloatBuffer, pool: ThreadPool) {
    precondition(parameters.count == layout.count, "\(parameters.count) parameters for \(layout.count)")
    forEachConvolution { $0.prepare(parameters: parameters, effective: effective, pool: pool) }
    for layers in upsize {
      layers.u.prepare(parameters: parameters, effective: effective, pool: pool)
      layers.ul.prepare(parameters: parameters, effective: effective, pool: pool)
    }
  }

  /// Writes `workspace.logits` for the images given to `workspace.prepareInput`. `observe` is told what each layer and block
  /// computed.
  func forward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, pool: ThreadPool, trace: Trace?,
    observe: LayerObserver?
  ) {
    let pass = TwoStreamPass(parameters, plan, workspace, pool, trace)
    let (u, ul) = (pass.u, pass.ul)
    let input = pass.rows(workspace.input)
    func observed(_ name: @autoclosure () -> String, _ values: Matrix, level: Int) {
      observe?(
        LayerOutput(
          layer: name(), size: StreamWindow.size(workspace.size, level: level), values: workspace.rows(values)))
    }

    initialAbove.forward(pass.forward, x: input, y: pass.rows(u.values[0]))
    pass.clearShiftedIn(pass.rows(u.values[0]), of: initialAbove)
    initialRow.forward(pass.forward, x: input, y: pass.rows(ul.values[0]))
    pass.clearShiftedIn(pass.rows(ul.values[0]), of: initialRow)
    let left = pass.rows(workspace.dC)
    initialLeft.forward(pass.forward, x: input, y: left)
    pass.clearShiftedIn(left, of: initialLeft)
    Addition.add(left, to: pass.rows(ul.values[0]), pool: pool)
    observed(layout.layerName(initialAbove.firstEntry), u.values[0], level: 0)
    // With what the layer beside it adds.
    observed(layout.layerName(initialRow.firstEntry), ul.values[0], level: 0)

    for group in 0..<3 {
      for (index, blocks) in up[group].enumerated() {
        let wide = pass.scratch(workspace.wide, level: group)
        blocks.u.forward(
          pass.forward, x: pass.rows(u.upInput(group, index)), skip: nil,
          saved: workspace.rows(u.upBlock(group, index)), wide: wide)
        blocks.ul.forward(
          pass.forward, x: pass.rows(ul.upInput(group, index)), skip: pass.rows(u.upBlock(group, index).output),
          saved: workspace.rows(ul.upBlock(group, index)), wide: wide)
        observed(blocks.u.name, u.upBlock(group, index).output, level: group)
        observed(blocks.ul.name, ul.upBlock(group, index).output, level: group)
      }
      if group < 2 {
        let layers = downsize[group]
        halve(pass, layers.u, x: u.upInput(group, up[group].count), y: u.downsizeOutput(group), level: group)
        halve(pass, layers.ul, x: ul.upInput(group, up[group].count), y: ul.downsizeOutput(group), level: group)
        observed(layout.layerName(layers.u.firstEntry), u.downsizeOutput(group), level: group + 1)
        observed(layout.layerName(layers.ul.firstEntry), ul.downsizeOutput(group), level: group + 1)
      }
    }
    for group in 0..<3 {
      let level = 2 - group
      for (index, blocks) in down[group].enumerated() {
        let wide = pass.scratch(workspace.wide, level: level)
        let entry = stack.entry(poppedBy: group, index)
        blocks.u.forward(
          pass.forward, x: pass.rows(u.downInput(group, index)), skip: pass.rows(u.values[entry]),
          saved: workspace.rows(u.downBlock(group, index)), wide: wide)
        blocks.ul.forward(
          pass.forward, x: pass.rows(ul.downInput(group, index)), skip: pass.join(group, index),
          saved: workspace.rows(ul.downBlock(group, index)), wide: wide)
        observed(blocks.u.name, u.downBlock(group, index).output, level: level)
        observed(blocks.ul.name, ul.downBlock(group, index).output, level: level)
      }
      if group < 2 {
        let layers = upsize[group]
        double(pass, layers.u, x: u.downInput(group, down[group].count), y: u.upsizeOutput(group), level: level)
        double(
          pass, layers.ul, x: ul.downInput(group, down[group].count), y: ul.upsizeOutput(group), level: level)
        observed(layout.layerName(layers.u.firstEntry), u.upsizeOutput(group), level: level - 1)
        observed(layout.layerName(layers.ul.firstEntry), ul.upsizeOutput(group), level: level - 1)
      }
    }
    let activated = pass.rows(workspace.dC)
    ELU.forward(x: pass.rows(ul.downInput(2, down[2].count)), y: activated, pool: pool)
    output.forward(pass.forward, x: activated, y: workspace.logits)
    observed(layout.layerName(output.firstEntry), workspace.logits, level: 0)
  }

  /// Writes the gradient of all parameters to `gradient`, given `workspace.dLogits` and the activations that `forward`
  /// left; each layer in the reverse order of `forward`.
  ///
  /// `completed` is told, again and again with smaller values, from which offset of the flat vector on the gradient is
  /// final.
  func backward(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, pool: ThreadPool,
    trace: Trace?, completed: (Int) -> Void
  ) {
    precondition(
      workspace.retention != .nothing && gradient.count == layout.count,
      "PixelCNNPlusPlus.backward: no room for gradients")
    let pass = TwoStreamPass(parameters, plan, workspace, pool, trace)
    let back = pass.backward(gradient)
    let (u, ul) = (pass.u, pass.ul)
    let recomputes = workspace.retention == .outputs

    let last = pass.rows(ul.downInput(2, down[2].count))
    let activated = pass.rows(workspace.dC)
    ELU.forward(x: last, y: activated, pool: pool)
    output.parameterGradients(back, x: activated, dy: workspace.dLogits)
    completed(output.firstParameter)
    output.inputGradient(back, dy: workspace.dLogits, dx: pass.rows(workspace.dStreamUL))
    ELU.backward(x: last, dy: pass.rows(workspace.dStreamUL), pool: pool)
    // The last of u is read by ul alone.
    pass.rows(workspace.dStream).fill(0)

    for group in (0..<3).reversed() {
      let level = 2 - group
      let wide = pass.scratch(workspace.wide, level: level)
      let dC = pass.scratch(workspace.dC, level: level)
      let dU = pass.scratch(workspace.dStream, level: level)
      let dUL = pass.scratch(workspace.dStreamUL, level: level)
      if group < 2 {
        let layers = upsize[group]
        doubleBackward(
          pass, back, layers.ul, x: ul.downInput(group, down[group].count), dStream: workspace.dStreamUL, level: level,
          completed: completed)
        doubleBackward(
          pass, back, layers.u, x: u.downInput(group, down[group].count), dStream: workspace.dStream, level: level,
          completed: completed)
      }
      for index in down[group].indices.reversed() {
        let blocks = down[group][index]
        let entry = stack.entry(poppedBy: group, index)
        var x = pass.rows(ul.downInput(group, index))
        var saved = workspace.rows(ul.downBlock(group, index))
        let joined = pass.join(group, index)
        if recomputes { blocks.ul.forwardInside(pass.forward, x: x, skip: joined, saved: saved, wide: wide) }
        blocks.ul.backward(
          back, x: x, skip: joined, saved: saved, dStream: dUL, dSkip: joined, wide: wide, dC: dC,
          completed: completed)
        ChannelConcatenation.backward(
          dy: joined, addingTo: dU, db: pass.rows(ul.skipGradients[entry]), pool: pool)

        x = pass.rows(u.downInput(group, index))
        saved = workspace.rows(u.downBlock(group, index))
        let skip = pass.rows(u.values[entry])
        if recomputes { blocks.u.forwardInside(pass.forward, x: x, skip: skip, saved: saved, wide: wide) }
        blocks.u.backward(
          back, x: x, skip: skip, saved: saved, dStream: dU, dSkip: pass.rows(u.skipGradients[entry]), wide: wide,
          dC: dC, completed: completed)
      }
    }

    // The way down began with the last entry of the stack; every other entry was also a skip input.
    var entry = stack.depth - 1
    func addSkipGradients(level: Int) {
      if entry < stack.depth - 1 {
        Addition.add(
          pass.rows(u.skipGradients[entry]), to: pass.scratch(workspace.dStream, level: level), pool: pool)
        Addition.add(
          pass.rows(ul.skipGradients[entry]), to: pass.scratch(workspace.dStreamUL, level: level), pool: pool)
      }
      entry -= 1
    }
    for group in (0..<3).reversed() {
      let wide = pass.scratch(workspace.wide, level: group)
      let dC = pass.scratch(workspace.dC, level: group)
      let dU = pass.scratch(workspace.dStream, level: group)
      let dUL = pass.scratch(workspace.dStreamUL, level: group)
      let dSkip = pass.scratch(workspace.joined.resized(columns: configuration.filters), level: group)
      if group < 2 {
        addSkipGradients(level: group + 1)
        let layers = downsize[group]
        halveBackward(
          pass, back, layers.ul, x: ul.upInput(group, up[group].count), dStream: workspace.dStreamUL, level: group,
          completed: completed)
        halveBackward(
          pass, back, layers.u, x: u.upInput(group, up[group].count), dStream: workspace.dStream, level: group,
          completed: completed)
      }
      for index in up[group].indices.reversed() {
        let blocks = up[group][index]
        addSkipGradients(level: group)
        var x = pass.rows(ul.upInput(group, index))
        var saved = workspace.rows(ul.upBlock(group, index))
        let skip = pass.rows(u.upBlock(group, index).output)
        if recomputes { blocks.ul.forwardInside(pass.forward, x: x, skip: skip, saved: saved, wide: wide) }
        blocks.ul.backward(
          back, x: x, skip: skip, saved: saved, dStream: dUL, dSkip: dSkip, wide: wide, dC: dC, completed: completed)
        Addition.add(dSkip, to: dU, pool: pool)

        x = pass.rows(u.upInput(group, index))
        saved = workspace.rows(u.upBlock(group, index))
        if recomputes { blocks.u.forwardInside(pass.forward, x: x, skip: nil, saved: saved, wide: wide) }
        blocks.u.backward(
          back, x: x, skip: nil, saved: saved, dStream: dU, dSkip: nil, wide: wide, dC: dC, completed: completed)
      }
    }
    addSkipGradients(level: 0)
    let input = pass.rows(workspace.input)
    func initialGradients(_ layer: ConvolutionLayer, _ dStream: Matrix) {
      // What was shifted in depends on nothing, nor on the bias.
      let dy = pass.rows(workspace.dC)
      dy.copy(from: dStream)
      pass.clearShiftedIn(dy, of: layer)
      layer.parameterGradients(back, x: input, dy: dy)
      completed(layer.firstParameter)
    }
    initialGradients(initialLeft, pass.rows(workspace.dStreamUL))
    initialGradients(initialRow, pass.rows(workspace.dStreamUL))
    initialGradients(initialAbove, pass.rows(workspace.dStream))
  }

  /// Writes to `dInput` `[images * pixels, channels + 1]` the gradient of the input that `workspace.prepareInput` made, the
  /// channel of ones included; to be called after `backward`, with what that was given.
  func inputGradient(
    parameters: FloatBuffer, plan: OrderPlan, workspace: NetworkWorkspace, gradient: FloatBuffer, dInput: Matrix,
    pool: ThreadPool
  ) {
    let pass = TwoStreamPass(parameters, plan, workspace, pool, nil)
    let back = pass.backward(gradient)
    // Of the streams where they begin, which is where the backward ends.
    initialAbove.inputGradient(back, dy: pass.rows(workspace.dStream), dx: dInput)
    initialRow.inputGradient(back, dy: pass.rows(workspace.dStreamUL), adds: true, dx: dInput)
    initialLeft.inputGradient(back, dy: pass.rows(workspace.dStreamUL), adds: true, dx: dInput)
  }

  // MARK: Between groups

  /// y, half as large on each side as x, whose level is `level`.
  private func halve(_ pass: TwoStreamPass, _ layer: ConvolutionLayer, x: Matrix, y: Matrix, level: Int) {
    let components = pass.scratch(pass.workspace.dC, level: level)
    pass.plan.polyphases[level].split(pass.rows(x), into: components, pool: pass.pool)
    layer.forward(pass.forward, x: components, y: pass.rows(y))
  }

  /// Turns `dStream` from the gradient of the output into that of x, whose level is `level`.
  private func halveBackward(
    _ pass: TwoStreamPass, _ back: BackwardPass, _ layer: ConvolutionLayer, x: Matrix, dStream: Matrix, level: Int,
    completed: (Int) -> Void
  ) {
    let components = pass.scratch(pass.workspace.dC, level: level)
    let dy = pass.scratch(dStream, level: level + 1)
    pass.plan.polyphases[level].split(pass.rows(x), into: components, pool: pass.pool)
    layer.parameterGradients(back, x: components, dy: dy)
    completed(layer.firstParameter)
    layer.inputGradient(back, dy: dy, dx: components)
    pass.plan.polyphases[level].merge(components, into: pass.scratch(dStream, level: level), pool: pass.pool)
  }

  /// y, twice as large on each side as x, whose level is `level`.
  private func double(_ pass: TwoStreamPass, _ layer: TransposedConvolutionLayer, x: Matrix, y: Matrix, level: Int) {
    let components = pass.scratch(pass.workspace.dC, level: level - 1)
    layer.forward(pass.forward, x: pass.rows(x), y: components)
    pass.plan.polyphases[level - 1].merge(components, into: pass.rows(y), pool: pass.pool)
  }

  /// Turns `dStream` from the gradient of the output into that of x, whose level is `level`.
  private func doubleBackward(
    _ pass: TwoStreamPass, _ back: BackwardPass, _ layer: TransposedConvolutionLayer, x: Matrix, dStream: Matrix,
    level: Int, completed: (Int) -> Void
  ) {
    let components = pass.scratch(pass.workspace.dC, level: level - 1)
    pass.plan.polyphases[level - 1].split(
      pass.scratch(dStream, level: level - 1), into: components, pool: pass.pool)
    layer.parameterGradients(back, x: pass.rows(x), dy: components)
    completed(layer.firstParameter)
    layer.inputGradient(back, dy: components, dx: pass.scratch(dStream, level: level))
  }

  private func forEachConvolution(_ body: (ConvolutionLayer) -> Void) {
    func visit(_ block: GatedResidualBlock) {
      body(block.convInput)
      if let ninSkip = block.ninSkip { body(ninSkip) }
      body(block.convOut)
    }
    func visit(_ groups: [[Streams<GatedResidualBlock>]]) {
      for blocks in groups.joined() {
        visit(blocks.u)
        visit(blocks.ul)
      }
    }
    body(initialAbove)
    body(initialRow)
    body(initialLeft)
    visit(up)
    for layers in downsize {
      body(layers.u)
      body(layers.ul)
    }
    visit(down)
    body(output)
  }
}

/// What a pass through both streams needs at every layer.
private struct TwoStreamPass {
  let forward: ForwardPass
  let workspace: NetworkWorkspace
  let u: StreamActivations
  let ul: StreamActivations
  var plan: OrderPlan { forward.plan }
  var pool: ThreadPool { forward.pool }

  init(
    _ parameters: FloatBuffer, _ plan: OrderPlan, _ workspace: NetworkWorkspace, _ pool: ThreadPool, _ trace: Trace?
  ) {
    guard let ul = workspace.ul, plan.order.size == workspace.size else {
      preconditionFailure("plan of \(plan.order.size) images for a workspace of \(workspace.size), or of one stream")
    }
    forward = ForwardPass(
      parameters: parameters, effectiveWeights: workspace.effectiveWeights, plan: plan, normalization: .none,
      pool: pool, trace: trace)
    self.workspace = workspace
    u = workspace.u
    self.ul = ul
  }

  func backward(_ gradient: FloatBuffer) -> BackwardPass {
    BackwardPass(forward: forward, gradient: gradient, weightScratch: workspace.weightScratch)
  }

  /// The rows of the current batch.
  func rows(_ matrix: Matrix) -> Matrix { workspace.rows(matrix) }

  /// The part of scratch memory that the current batch needs at `level`.
  func scratch(_ matrix: Matrix, level: Int) -> Matrix {
    matrix.prefix(rows: workspace.images * workspace.size.pixels >> (2 * level))
  }

  /// What block `index` of a group of ul down takes as its skip input: u's output beside what the block pops.
  func join(_ group: Int, _ index: Int) -> Matrix {
    let joined = scratch(workspace.joined, level: 2 - group)
    ChannelConcatenation.forward(
      rows(u.downBlock(group, index).output), rows(ul.values[ul.stack.entry(poppedBy: group, index)]),
      y: joined, pool: pool)
    return joined
  }

  /// Zeros the rows that read nothing: shifting the output moved zeros in there, without the bias.
  func clearShiftedIn(_ y: Matrix, of layer: ConvolutionLayer) {
    let counts = plan.pair(layer.mask).forward.visibleCounts
    for row in 0..<y.rows where counts[row % counts.count] == 0 { y.view(row: row).fill(0) }
  }
}
