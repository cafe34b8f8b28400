import Checkpoints
import Kernels
import Model
import Orders
import Tensors
import TestSupport
import Testing

/// Masked convolutions and gated blocks against the reference, single layers in single precision.
@Suite("Parity: convolutions and gated blocks")
struct ParityConvolutions {
  struct ConvolutionCase: Decodable {
    let order: String
    let rows: Int
    let cols: Int
    let variant: Int
    let type: String
    let kernel: Int
    let dilation: Int
  }

  struct BlockCase: Decodable {
    let order: String
    let rows: Int
    let cols: Int
    let variant: Int
    let filters: Int
    let normalization: Normalization
    let skip: Int
  }

  @Test func convolutionsMatchTheReference() throws {
    for (name, file) in try Fixtures.all(prefix: "conv") {
      let settings = try Fixtures.configuration(ConvolutionCase.self, of: file)
      let size = ImageSize(rows: settings.rows, columns: settings.cols)
      let window = KernelWindow(side: settings.kernel, dilation: settings.dilation)
      let mask = LocalMask(
        order: try GoldenOrder.make(settings.order, size: size, variant: settings.variant), window: window,
        type: settings.type == "A" ? .a : .b)
      #expect(try file.doubles("mask") == mask.visible.map(Double.init), "\(name): mask")
      let plan = NeighbourPlan(size: size, window: window, visible: mask.visible)
      let transposedPlan = NeighbourPlan(
        size: size, window: window, visible: mask.transposed.visible, isTransposed: true)
      let x = try Golden.activations(file, "x")
      let dy = try Golden.activations(file, "dy")
      let (inputs, outputs) = (x.columns, dy.columns)

      var layout = ParameterLayout()
      let shape = try file.tensor("weight").shape
      layout.append(name: "weight", shape: shape, storage: .panels)
      layout.append(name: "bias", shape: [outputs])
      if file.tensors["mask_weight"] != nil {
        layout.append(name: "mask_weight", shape: try file.tensor("mask_weight").shape, storage: .maskPanels)
      }
      let parameters = FloatBuffer(count: layout.count)
      let gradients = FloatBuffer(count: layout.count)
      for entry in layout.entries {
        layout.setFileValues(try file.doubles(entry.name).map(Float.init), of: entry, in: parameters)
      }
      func view(_ buffer: FloatBuffer, _ name: String) -> Matrix? {
        layout.entries.first { $0.name == name }.map {
          Matrix(buffer, offset: $0.range.lowerBound, rows: ($0.range.count + 15) / 16, columns: 16)
        }
      }
      let weight = try #require(view(parameters, "weight"))
      for threads in [1, 3] {
        let pool = ThreadPool(threads: threads)
        let y = Matrix(rows: dy.rows, columns: outputs)
        MaskedConvolution.forward(
          plan: plan, x: x, weight: weight, bias: view(parameters, "bias"), maskWeight: view(parameters, "mask_weight"),
          y: y, pool: pool)
        try compare(name, "y", y, file)

        let transposed = Matrix(
          rows: Panels.elements(taps: window.taps, inputs: outputs, outputs: inputs) / 16, columns: 16)
        MaskedConvolution.transpose(
          weight: weight, taps: window.taps, inputs: inputs, outputs: outputs, into: transposed, pool: pool)
        let dx = Matrix(rows: x.rows, columns: inputs)
        MaskedConvolution.inputGradient(
          transposedPlan: transposedPlan, dy: dy, transposedWeight: transposed, dx: dx, pool: pool)
        try compare(name, "dx", dx, file)

        gradients.fill(.nan)
        MaskedConvolution.parameterGradients(
          plan: plan, x: x, dy: dy, dWeight: try #require(view(gradients, "weight")), dBias: view(gradients, "bias"),
          dMaskWeight: view(gradients, "mask_weight"),
          scratch: Matrix(rows: Panels.elements(taps: window.taps, inputs: inputs, outputs: outputs) / 16, columns: 16),
          pool: pool)
        for entry in layout.entries {
          let error = Golden.relativeError(
            layout.fileValues(of: entry, in: gradients), try file.doubles("d" + entry.name))
          #expect(error < Golden.layerTolerance, "\(name): d\(entry.name) is off by \(error)")
        }
      }
    }
  }

  @Test func gatedBlocksMatchTheReference() throws {
    for (name, file) in try Fixtures.all(prefix: "gated_resnet_") {
      let settings = try Fixtures.configuration(BlockCase.self, of: file)
      let size = ImageSize(rows: settings.rows, columns: settings.cols)
      let order = try GoldenOrder.make(settings.order, size: size, variant: settings.variant)
      let kernel = Int(Double(try file.tensor("mask").shape[0]).squareRoot())
      let plan = OrderPlan(order: order, windows: .masked(side: kernel, dilation: 1))
      var configuration = ModelConfiguration(channels: 1, filters: settings.filters, distribution: .binary)
      configuration.normalization = settings.normalization
      configuration.kernel = kernel
      configuration.bias = file.tensors["param.conv_input.bias"] != nil
      configuration.maskWeight = file.tensors["param.conv_input.mask_weight"] != nil
      var layout = ParameterLayout()
      var effectiveCount = 0
      let block = GatedResidualBlock(
        name: "", configuration: configuration, hasSkip: settings.skip == 1, layout: &layout,
        effectiveCount: &effectiveCount)
      let parameters = FloatBuffer(count: layout.count)
      let gradient = FloatBuffer(count: layout.count)
      for entry in layout.entries {
        layout.setFileValues(try file.doubles("param" + entry.name).map(Float.init), of: entry, in: parameters)
      }
      let x = try Golden.activations(file, "x")
      let skip = settings.skip == 1 ? try Golden.activations(file, "a") : nil
      let filters = settings.filters
      let rows = x.rows
      let pool = ThreadPool(threads: 2)
      let effective = FloatBuffer(count: effectiveCount)
      for layer in block.layers { layer.prepare(parameters: parameters, effective: effective, pool: pool) }
      let pass = ForwardPass(
        parameters: parameters, effectiveWeights: effective, plan: plan,
        normalization: settings.normalization.atLocations, pool: pool)
      let normalized = Matrix(rows: rows, columns: filters)
      let saved = GatedResidualBlock.Activations(
        normalized: normalized, c: skip == nil ? normalized : Matrix(rows: rows, columns: filters),
        scale: Matrix(rows: rows, columns: 1), d: Matrix(rows: rows, columns: 2 * filters),
        outputScale: Matrix(rows: rows, columns: 1), keep: nil, output: Matrix(rows: rows, columns: filters))
      let wide = Matrix(rows: rows, columns: 2 * filters)
      block.forward(pass, x: x, skip: skip, saved: saved, wide: wide)
      try compare(name, "y", saved.output, file)

      let dStream = try Golden.activations(file, "dy")
      let dSkip = Matrix(rows: rows, columns: filters)
      let largest = block.layers.map(\.weightScratchCount).max() ?? 0
      block.backward(
        BackwardPass(
          forward: pass, gradient: gradient, weightScratch: Matrix(rows: largest / 16, columns: 16)), x: x,
        skip: skip, saved: saved, dStream: dStream, dSkip: dSkip, wide: wide,
        dC: Matrix(rows: rows, columns: filters), completed: { _ in })
      try compare(name, "dx", dStream, file)
      if settings.skip == 1 { try compare(name, "da", dSkip, file) }
      for entry in layout.entries {
        let error = Golden.relativeError(
          layout.fileValues(of: entry, in: gradient), try file.doubles("grad" + entry.name))
        #expect(error < Golden.layerTolerance, "\(name): gradient of \(entry.name) is off by \(error)")
      }
    }
  }

  private func compare(_ name: String, _ tensor: String, _ value: Matrix, _ file: SafetensorsFile) throws {
    let golden = try Golden.activations(file, tensor)
    let error = Golden.relativeError(value.values, golden.values.map(Double.init))
    #expect(error < Golden.layerTolerance, "\(name): \(tensor) is off by \(error)")
  }
}
