import Tensors

/// Memory for what is inside a block. Blocks may use the same one after the other.
private struct BlockInside {
  /// `[rows, F]`
  let normalized: Matrix
  /// `[rows, F]`, for c where that is not the same as `normalized`.
  let c: Matrix?
  /// `[rows, 1]`
  let scale: Matrix
  /// `[rows, 2F]`
  let d: Matrix
  /// `[rows, 1]`
  let outputScale: Matrix

  /// Floats a row, without `c`.
  static func columns(filters: Int) -> Int { 3 * filters + 2 }

  init(rows: Int, filters: Int, c: Matrix?) {
    normalized = Matrix(rows: rows, columns: filters)
    self.c = c
    scale = Matrix(rows: rows, columns: 1)
    d = Matrix(rows: rows, columns: 2 * filters)
    outputScale = Matrix(rows: rows, columns: 1)
  }

  /// The activations of a block with as many rows as `output`, and with a skip input if `hasSkip`.
  func activations(hasSkip: Bool, keep: Matrix?, output: Matrix) -> GatedResidualBlock.Activations {
    func rows(_ matrix: Matrix) -> Matrix { matrix.prefix(rows: output.rows) }
    return GatedResidualBlock.Activations(
      normalized: rows(normalized), c: rows(hasSkip ? c ?? normalized : normalized), scale: rows(scale), d: rows(d),
      outputScale: rows(outputScale), keep: keep, output: output)
  }
}

extension AutoregressiveNetwork {
  /// Whether a block with a skip input needs memory for the sum besides that for what the normalization made.
  fileprivate func keepsNormalized(retaining retention: ActivationRetention) -> Bool {
    configuration.normalization == .pono && retention != .nothing
  }

  /// Rows of a stream after `stage`, of `rows` before the first: PixelCNN++ halves the sides between groups up and doubles
  /// them between groups down.
  fileprivate func rows(after stage: NetworkStage?, of rows: Int) -> Int {
    guard hasTwoStreams, let stage else { return rows }
    let level =
      switch stage {
      case .up(let group, _): group
      case .downsize(let group): group + 1
      case .down(let group, _): 2 - group
      case .upsize(let group): 1 - group
      }
    return rows >> (2 * level)
  }

  /// Which channels dropout keeps, of one block: `[images, 2F]`.
  fileprivate func keep(images: Int, retaining retention: ActivationRetention) -> Matrix? {
    retention != .nothing && configuration.dropout > 0
      ? Matrix(rows: images, columns: 2 * configuration.filters) : nil
  }
}

extension StreamActivations {
  /// A stream of `network` for `images` images with `rows` pixels in all, with room for every output; without `everything`,
  /// blocks share memory for what is inside one.
  init(_ network: AutoregressiveNetwork, images: Int, rows: Int, retaining retention: ActivationRetention) {
    let filters = network.configuration.filters
    let keepsNormalized = network.keepsNormalized(retaining: retention)
    stack = SkipStack(blocks: network.configuration.blocks)
    let stages = stack.stages
    values = ([nil] + stages.map(Optional.some)).map {
      Matrix(rows: network.rows(after: $0, of: rows), columns: filters)
    }
    func inside(rows: Int, hasSkip: Bool) -> BlockInside {
      BlockInside(
        rows: rows, filters: filters, c: hasSkip && keepsNormalized ? Matrix(rows: rows, columns: filters) : nil)
    }
    let shared = retention == .everything ? nil : inside(rows: rows, hasSkip: true)
    var blocks: [GatedResidualBlock.Activations?] = []
    for (stage, output) in zip(stages, values.dropFirst()) {
      guard stage.isBlock else {
        blocks.append(nil)
        continue
      }
      blocks.append(
        (shared ?? inside(rows: output.rows, hasSkip: stage.hasSkip)).activations(
          hasSkip: stage.hasSkip, keep: network.keep(images: images, retaining: retention), output: output))
    }
    self.blocks = blocks
    scales = Self.scales(stages, values)
    valuesAgain = values
    // The output of the block that popped the entry, which nobody reads any more by then.
    skipGradients = (0..<(stack.depth - 1)).map { [stack, values] entry in
      let (group, index) = stack.block(popping: entry)
      return values[stack.stage(down: group, index) + 1]
    }
    segments = [stages.indices]
  }

  /// A stream of the paper's network as `schedule` says. `scratch`, blocks' scratch memory, has at least F columns, `dC` is
  /// `[rows, F]`.
  init(
    _ network: AutoregressiveNetwork, schedule: RematerializationSchedule, images: Int, rows: Int, scratch: Matrix,
    dC: Matrix
  ) {
    let filters = network.configuration.filters
    stack = SkipStack(blocks: network.configuration.blocks)
    let stages = stack.stages
    let rooms = (0..<schedule.rooms).map { _ in Matrix(rows: rows, columns: filters) }
    let passing = Matrix(rows: rows, columns: filters)
    func matrix(_ room: RematerializationSchedule.Room) -> Matrix {
      switch room {
      case .kept(let number): rooms[number]
      case .passing: passing
      case .scratch: scratch.resized(columns: filters)
      }
    }
    values = schedule.values.map(matrix)
    valuesAgain = schedule.valuesAgain.map(matrix)
    skipGradients = schedule.skipGradients.map(matrix)
    segments = schedule.segments
    // The backward of a block turns c into its gradient.
    let c = network.keepsNormalized(retaining: .outputs) ? dC : nil
    let insides = (0..<2).map { _ in BlockInside(rows: rows, filters: filters, c: c) }
    blocks = stages.indices.map { [values] stage in
      guard stages[stage].isBlock else { return nil }
      return insides[schedule.isFollowed(stage, among: stages) ? 0 : 1].activations(
        hasSkip: stages[stage].hasSkip, keep: network.keep(images: images, retaining: .outputs),
        output: values[stage + 1])
    }
    scales = Self.scales(stages, values)
  }

  private static func scales(_ stages: [NetworkStage], _ values: [Matrix]) -> [Matrix] {
    zip([false] + stages.map(\.isBlock), values).map { Matrix(rows: $0 ? 0 : $1.rows, columns: 1) }
  }

  /// Floats of a stream of `network` for `images` images with `rows` pixels in all.
  static func floats(
    _ network: AutoregressiveNetwork, images: Int, rows: Int, retaining retention: ActivationRetention,
    schedule: RematerializationSchedule?
  ) -> Int {
    let filters = network.configuration.filters
    let inside = BlockInside.columns(filters: filters)
    let c = network.keepsNormalized(retaining: retention) ? filters : 0
    var floats = rows  // The first layer's scale.
    if let schedule {
      // c lies in the memory for its gradient.
      floats += rows * ((schedule.rooms + 1) * filters + 2 * inside)
    } else {
      floats += rows * (filters + (retention == .everything ? 0 : inside + c))
    }
    for stage in SkipStack(blocks: network.configuration.blocks).stages {
      let rows = network.rows(after: stage, of: rows)
      if schedule == nil { floats += rows * filters }
      switch stage {
      case .downsize, .upsize: floats += rows
      case .up: floats += retention == .everything ? rows * inside : 0
      case .down: floats += retention == .everything ? rows * (inside + c) : 0
      }
      if stage.isBlock && retention != .nothing && network.configuration.dropout > 0 { floats += images * 2 * filters }
    }
    return floats
  }
}
