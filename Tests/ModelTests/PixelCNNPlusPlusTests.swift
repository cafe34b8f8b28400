import Kernels
import Model
import Orders
import Tensors
import TestSupport
import Testing

/// What PixelCNN++ has beyond what all networks are tested for.
struct PixelCNNPlusPlusTests {
  private static func configuration(
    channels: Int, filters: Int, blocks: Int, _ distribution: PixelDistribution
  ) -> ModelConfiguration {
    ModelConfiguration(
      architecture: .pixelCNNPlusPlus, channels: channels, filters: filters, blocks: blocks, distribution: distribution)
  }

  /// Sizes at which the coarsest level is one pixel, one row, one column, and at which blocks of pixels end in it.
  static let examples: [ExampleNetwork] = {
    let sizes = [(4, 4), (8, 12), (4, 16), (20, 4), (36, 32)]
    let images: [(channels: Int, distribution: PixelDistribution)] = [
      (3, .logisticMixture(mixtures: 3, bits: 8)), (1, .binary),
    ]
    var examples: [ExampleNetwork] = []
    for (number, (rows, columns)) in sizes.enumerated() {
      for image in images {
        for blocks in [1, 2] where blocks == 1 || rows * columns < 1000 {
          let example = try? ExampleNetwork(
            "\(rows)x\(columns), \(image.channels) channels, \(blocks) blocks",
            configuration(
              channels: image.channels, filters: blocks == 1 ? 18 : 7, blocks: blocks, image.distribution),
            size: ImageSize(rows: rows, columns: columns), images: 2, number: 200 + number)
          if let example { examples.append(example) }
        }
      }
    }
    return examples
  }()

  @Test func allExamplesExist() { #expect(Self.examples.count == 18) }

  @Test(arguments: examples)
  func logitsAreThoseOfThePlainNetwork(example: ExampleNetwork) {
    let logits = example.run(threads: 2).forward(example.levels, plan: example.plan)
    let plain = PlainNetwork(example, dropout: ExampleNetwork.dropoutGenerator)
    let error = Golden.relativeError(logits.values, plain.logits(example.levels))
    #expect(error < Golden.modelTolerance, "off by \(error)")
  }

  /// Every pixel reaches its neighbours that come after it, and none before it.
  @Test func aPixelReachesWhatFollowsInTheRasterScan() throws {
    let size = ImageSize(rows: 12, columns: 12)
    let example = try ExampleNetwork(
      "property", Self.configuration(channels: 1, filters: 8, blocks: 1, .binary), size: size, images: 1, number: 300)
    let run = example.run()
    func bits(_ levels: [UInt8]) -> [[UInt32]] {
      let logits = run.forward(levels, plan: example.plan)
      return (0..<size.pixels).map { row in (0..<2).map { logits[row, $0].bitPattern } }
    }
    let before = bits(example.levels)
    for pixel in 0..<size.pixels {
      var levels = example.levels
      levels[pixel] = 1 - levels[pixel]
      let after = bits(levels)
      let changed = Set((0..<size.pixels).filter { before[$0] != after[$0] })
      #expect(changed.allSatisfy { $0 > pixel }, "pixel \(pixel) changes \(changed.min() ?? 0)")
      // Farther away, what is left of a change may be less than a rounding.
      let (row, column) = pixel.quotientAndRemainder(dividingBy: size.columns)
      for (nextRow, nextColumn) in [(row, column + 1), (row + 1, column - 1), (row + 1, column), (row + 1, column + 1)]
      where nextRow < size.rows && (0..<size.columns).contains(nextColumn) {
        #expect(changed.contains(nextRow * size.columns + nextColumn), "\(pixel) misses \(nextRow), \(nextColumn)")
      }
    }
  }

  /// A convolution from A to B channels through n taps has n A B directions, B gains and B biases; a transposed one has as
  /// many gains as channels it comes from.
  private static func parameters(channels: Int, filters f: Int, blocks: Int, outputs: Int) -> Int {
    func convolution(_ a: Int, _ b: Int, taps: Int) -> Int { taps * a * b + 2 * b }
    func block(taps: Int, skips: Int) -> Int {
      convolution(2 * f, f, taps: taps) + convolution(2 * f, 2 * f, taps: taps)
        + (skips == 0 ? 0 : convolution(2 * skips * f, f, taps: 1))
    }
    let up = 3 * blocks * (block(taps: 6, skips: 0) + block(taps: 4, skips: 1))
    let down = (3 * blocks + 2) * (block(taps: 6, skips: 1) + block(taps: 4, skips: 2))
    let between = 4 * (convolution(f, f, taps: 6) + convolution(f, f, taps: 4))
    let first = [6, 3, 2].reduce(0) { $0 + convolution(channels + 1, f, taps: $1) }
    return first + up + down + between + convolution(f, outputs, taps: 1)
  }

  @Test(
    arguments: [
      (configuration(channels: 3, filters: 160, blocks: 5, .logisticMixture(mixtures: 10, bits: 8)), 53_659_080),
      (configuration(channels: 1, filters: 80, blocks: 2, .binary), nil),
      (configuration(channels: 1, filters: 7, blocks: 1, .logisticMixture(mixtures: 4, bits: 8)), nil),
    ] as [(ModelConfiguration, Int?)])
  func parametersAreAsManyAsTheFormulaSays(configuration: ModelConfiguration, published: Int?) {
    let layout = AutoregressiveNetwork(configuration).layout
    let expected = Self.parameters(
      channels: configuration.channels, filters: configuration.filters, blocks: configuration.blocks,
      outputs: configuration.outputs)
    #expect(layout.parameterCount == expected)
    if let published { #expect(expected == published) }
    #expect(Set(layout.entries.map(\.name)).count == layout.entries.count)
  }

  @Test func namesAndShapesAreThoseOfTheReference() throws {
    let layout = AutoregressiveNetwork(
      Self.configuration(channels: 3, filters: 6, blocks: 1, .logisticMixture(mixtures: 2, bits: 8))
    ).layout
    let shapes = Dictionary(uniqueKeysWithValues: layout.entries.map { ($0.name, $0.shape) })
    #expect(shapes["u_init.conv.weight_v"] == [6, 4, 2, 3])
    #expect(shapes["u_init.conv.weight_g"] == [6, 1, 1, 1])
    #expect(shapes["u_init.conv.bias"] == [6])
    #expect(shapes["ul_init.0.conv.weight_v"] == [6, 4, 1, 3])
    #expect(shapes["ul_init.1.conv.weight_v"] == [6, 4, 2, 1])
    #expect(shapes["up_layers.0.u_stream.0.conv_input.conv.weight_v"] == [6, 12, 2, 3])
    #expect(shapes["up_layers.2.ul_stream.0.conv_out.conv.weight_v"] == [12, 12, 2, 2])
    #expect(shapes["up_layers.1.ul_stream.0.nin_skip.lin_a.weight_v"] == [6, 12])
    #expect(shapes["down_layers.1.u_stream.1.nin_skip.lin_a.weight_g"] == [6, 1])
    #expect(shapes["down_layers.1.ul_stream.1.nin_skip.lin_a.weight_v"] == [6, 24])
    #expect(shapes["downsize_u_stream.1.conv.weight_v"] == [6, 6, 2, 3])
    #expect(shapes["upsize_ul_stream.0.deconv.weight_v"] == [6, 6, 2, 2])
    #expect(shapes["upsize_u_stream.1.deconv.weight_g"] == [6, 1, 1, 1])
    #expect(shapes["nin_out.lin_a.bias"] == [20])
    #expect(shapes["up_layers.0.u_stream.0.nin_skip.lin_a.bias"] == nil)
  }

  @Test func gainsBeginAsTheNormsOfTheirDirections() throws {
    let network = AutoregressiveNetwork(Self.configuration(channels: 1, filters: 18, blocks: 1, .binary))
    let layout = network.layout
    let parameters = network.initialParameters(seed: 3)
    let gains = layout.entries.filter { $0.name.hasSuffix(".weight_g") }
    #expect(gains.count == 3 + 8 * 2 * 2 + 13 + 8 + 1)
    for entry in gains {
      let gain = layout.fileValues(of: entry, in: parameters)
      let direction = try #require(layout.entries.first { $0.name == String(entry.name.dropLast()) + "v" })
      let values = layout.fileValues(of: direction, in: parameters)
      let count = values.count / gain.count
      let bound = 1 / Float(direction.shape.dropFirst().reduce(1, *)).squareRoot()
      #expect(values.allSatisfy { abs($0) <= bound })
      for (output, value) in gain.enumerated() {
        let norm = values[(output * count)..<((output + 1) * count)].reduce(0) { $0 + Double($1) * Double($1) }
        #expect(abs(Double(value) - norm.squareRoot()) < 1e-6 * norm.squareRoot(), "\(entry.name), \(output)")
      }
    }
  }

  @Test func usefulWorkIsCountedByHand() throws {
    let network = AutoregressiveNetwork(Self.configuration(channels: 1, filters: 4, blocks: 1, .binary))
    let size = ImageSize(rows: 4, columns: 8)
    let plan = OrderPlan(order: try GenerationOrder(base: .rasterScan, size: size), windows: network.windows)
    let work = Dictionary(
      uniqueKeysWithValues: network.work(plan: plan).map { (network.traceLabels[$0.label], $0) })
    // A tap at (-1, -1) of 4 x 8 pixels is inside for 3 x 7 of them, and so on.
    #expect(work["u_init.conv"]?.multiplications == (2 * (7 + 8 + 7) + 3 * (7 + 8 + 7)) * 2 * 4)
    #expect(work["ul_init.0.conv"]?.multiplications == 3 * (7 + 8 + 7) * 2 * 4)
    #expect(work["ul_init.1.conv"]?.multiplications == (3 * 7 + 4 * 7) * 2 * 4)
    #expect(work["up_layers.0.u_stream.0.conv_out.conv"]?.multiplications == (3 + 4) * (7 + 8 + 7) * 8 * 8)
    #expect(work["up_layers.0.ul_stream.0.conv_input.conv"]?.multiplications == (3 + 4) * (7 + 8) * 8 * 4)
    // Of 2 x 4 pixels, the row above is inside for 1 x 4, the column to the left for 2 x 3.
    #expect(work["downsize_u_stream.0.conv"]?.multiplications == (1 + 2) * (3 + 4 + 4) * 4 * 4)
    // Each of its taps is written to a pixel of 4 x 8.
    #expect(work["upsize_ul_stream.1.deconv"]?.multiplications == 2 * 2 * 8 * 4 * 4)
    #expect(work["down_layers.2.ul_stream.1.nin_skip.lin_a"]?.multiplications == 32 * 16 * 4)
    #expect(work["u_init.conv"]?.hasInputGradient == false && work["nin_out.lin_a"]?.isMasked == false)
    #expect(work["ul_init.1.conv"]?.hasInputGradient == false && work["upsize_ul_stream.1.deconv"]?.isMasked == true)
    #expect(work.count == network.layout.entries.count / 3)
  }

  @Test func outputsAreNamedInTheOrderOfTheForwardPass() throws {
    let example = try ExampleNetwork(
      "outputs", Self.configuration(channels: 1, filters: 4, blocks: 1, .binary), size: ImageSize(rows: 8, columns: 4),
      images: 2)
    let run = example.run()
    var outputs: [LayerOutput] = []
    run.forward(example.levels, plan: example.plan) { outputs.append($0) }
    #expect(
      outputs.map(\.layer) == [
        "u_init.conv", "ul_init.0.conv", "up_layers.0.u_stream.0", "up_layers.0.ul_stream.0",
        "downsize_u_stream.0.conv",
        "downsize_ul_stream.0.conv", "up_layers.1.u_stream.0", "up_layers.1.ul_stream.0", "downsize_u_stream.1.conv",
        "downsize_ul_stream.1.conv", "up_layers.2.u_stream.0", "up_layers.2.ul_stream.0", "down_layers.0.u_stream.0",
        "down_layers.0.ul_stream.0", "upsize_u_stream.0.deconv", "upsize_ul_stream.0.deconv",
        "down_layers.1.u_stream.0",
        "down_layers.1.ul_stream.0", "down_layers.1.u_stream.1", "down_layers.1.ul_stream.1",
        "upsize_u_stream.1.deconv",
        "upsize_ul_stream.1.deconv", "down_layers.2.u_stream.0", "down_layers.2.ul_stream.0",
        "down_layers.2.u_stream.1",
        "down_layers.2.ul_stream.1", "nin_out.lin_a",
      ])
    for output in outputs {
      #expect(output.values.rows == 2 * output.size.pixels, "\(output.layer)")
      #expect(output.values.values.contains { $0 != 0 }, "\(output.layer)")
    }
    #expect(outputs[10].size == ImageSize(rows: 2, columns: 1))
    #expect(outputs.last?.values.values == run.workspace.logits.values)
  }

  @Test func theInputGradientIsTheSlopeOfThePlainNetwork() throws {
    let example = try ExampleNetwork.twoStream()[1]
    let channels = example.network.configuration.channels
    let run = example.run()
    let gradient = FloatBuffer(count: example.network.layout.count)
    run.forward(example.levels, plan: example.plan)
    // One pixel of the first image.
    let pixel = 19
    run.workspace.dLogits.fill(0)
    run.workspace.dLogits[pixel, 3] = 1
    run.backward(plan: example.plan, into: gradient)
    let dInput = Matrix(rows: example.images * example.size.pixels, columns: channels + 1)
    example.network.inputGradient(
      parameters: example.parameters, plan: example.plan, workspace: run.workspace, gradient: gradient, dInput: dInput,
      pool: run.pool)
    let found = (0..<dInput.rows).flatMap { row in (0..<channels).map { dInput[row, $0] } }
    let plain = PlainNetwork(example, dropout: ExampleNetwork.dropoutGenerator)
    let slopes = example.levels.indices.map { index in
      CentralDifference.gradient(at: [0], step: 1e-6) { distance in
        var moved = plain
        moved.inputShift = (index, distance[0])
        return moved.logits(example.levels)[pixel * example.network.configuration.outputs + 3]
      }[0]
    }
    let error = Golden.relativeError(found, slopes)
    #expect(error < Golden.modelTolerance, "off by \(error)")
    #expect(found[(pixel * channels)...].allSatisfy { $0 == 0 })
    #expect(found[..<(pixel * channels)].contains { $0 != 0 })
  }

  @Test func sizesAndOrdersThatItDoesNotTakeAreRefused() throws {
    let network = AutoregressiveNetwork(Self.configuration(channels: 1, filters: 4, blocks: 1, .binary))
    let size = ImageSize(rows: 8, columns: 8)
    let raster = try GenerationOrder(base: .rasterScan, size: size)
    try network.require(order: raster, named: "raster_scan/0")
    try network.require(order: raster, named: "raster_scan/0", observed: Set(0..<30))
    #expect(throws: ArchitectureError.notRasterScan(order: "s_curve/0")) {
      try network.require(order: try GenerationOrder(base: .sCurve, size: size), named: "s_curve/0")
    }
    #expect(throws: ArchitectureError.observedAfterMissing) {
      try network.require(order: raster, named: "raster_scan/0", observed: [40])
    }
    #expect(throws: ArchitectureError.indivisibleSides(ImageSize(rows: 8, columns: 6))) {
      try network.require(size: ImageSize(rows: 8, columns: 6))
    }
    #expect(throws: ArchitectureError.needsLocalMasks("serve")) { try network.underLocalMasks(for: "serve") }
    var configuration = network.configuration
    configuration.architecture = .lmconv
    let masked = AutoregressiveNetwork(configuration)
    try masked.require(order: try GenerationOrder(base: .sCurve, size: ImageSize(rows: 5, columns: 3)), named: "")
    #expect(try masked.underLocalMasks(for: "serve").layout == masked.layout)
  }

  @Test(
    arguments: [
      (
        ArchitectureError.notRasterScan(order: "s_curve/0"),
        "order s_curve/0 cannot be had: the network is a pixelcnn_pp, whose only order is raster_scan; an lmconv network "
          + "takes any"
      ),
      (
        .observedAfterMissing,
        "the network is a pixelcnn_pp, which predicts pixels from those before them in the raster scan alone, and here "
          + "given pixels come after missing ones; ask for bottom, or take an lmconv network"
      ),
      (
        .indivisibleSides(ImageSize(rows: 8, columns: 6)),
        "images are 8x6, but a pixelcnn_pp network halves their sides twice; take images whose sides are multiples of 4, or "
          + "an lmconv network"
      ),
      (
        .needsLocalMasks("serve"),
        "serve takes lmconv networks alone, and this one is a pixelcnn_pp; evaluate, score, heatmap, sample and complete take "
          + "both"
      ),
    ] as [(ArchitectureError, String)])
  func refusalsSayWhatToDo(error: ArchitectureError, message: String) { #expect("\(error)" == message) }
}
