import Foundation
import Kernels
import Model
import Orders
import Tensors

/// The networks written down once more as plain loops in double precision, with all their options, sharing nothing with
/// the package but the masks and the convolution's definition.
struct PlainNetwork {
  let configuration: ModelConfiguration
  let size: ImageSize
  let images: Int
  /// By name, as in files.
  var parameters: [String: [Double]]
  /// A value of PixelCNN++'s input that is moved, and by how much.
  var inputShift = (index: -1, distance: 0.0)

  private let first: LocalMask
  private let undilated: LocalMask
  private let dilated: LocalMask
  /// What dropout multiplies the channels of each image by, block after block: `[images, 2F]`.
  let keeps: [[Double]]

  /// `dropout` draws what the workspace of a run draws.
  init(_ example: ExampleNetwork, dropout: KeyedGenerator) {
    configuration = example.network.configuration
    size = example.size
    images = example.images
    parameters = Dictionary(
      uniqueKeysWithValues: example.network.layout.entries.map { entry in
        (entry.name, example.network.layout.fileValues(of: entry, in: example.parameters).map(Double.init))
      })
    let order = example.plan.order
    // PixelCNN++ has none, but blocks in two streams.
    let streams = configuration.architecture == .pixelCNNPlusPlus ? 2 : 1
    func mask(_ type: MaskType, dilation: Int) -> LocalMask {
      LocalMask(
        order: order, window: KernelWindow(side: example.network.configuration.kernel, dilation: dilation), type: type)
    }
    first = mask(.a, dilation: 1)
    undilated = mask(.b, dilation: 1)
    dilated = mask(.b, dilation: configuration.dilation)
    var random = dropout
    let probability = configuration.dropout
    let channels = 2 * configuration.filters * images
    keeps = (0..<(streams * (6 * configuration.blocks + 2))).map { _ in
      (0..<channels).map { _ in probability > 0 && random.uniform() < probability ? 0 : 1 / (1 - Double(probability)) }
    }
  }

  /// The network's outputs for `levels` `[images, pixels, channels]`: `[images * pixels, outputs]`.
  func logits(_ levels: [UInt8]) -> [Double] {
    guard configuration.architecture == .lmconv else { return twoStreamLogits(levels) }
    let filters = configuration.filters
    let top = Double(configuration.distribution.levels - 1)
    var input: [Double] = []
    for pixel in levels.indices {
      input.append(2 * Double(levels[pixel]) / top - 1)
      if pixel % configuration.channels == configuration.channels - 1 { input.append(1) }
    }
    var block = 0
    func gatedBlock(_ name: String, _ x: [Double], skip: [Double]?) -> [Double] {
      var c = normalized(convolution("\(name).conv_input", concatELU(x), undilated), undilated)
      if let skip { c = zip(c, linear("\(name).nin_skip.lin_a", concatELU(skip))).map { $0 + $1 } }
      let kept = concatELU(c).enumerated().map { index, value in
        let row = index / (2 * filters)
        return value * keeps[block][row / size.pixels * 2 * filters + index % (2 * filters)]
      }
      block += 1
      let d = convolution("\(name).conv_out", kept, undilated)
      func half(_ first: Int) -> [Double] {
        x.indices.map { d[$0 / filters * 2 * filters + first * filters + $0 % filters] }
      }
      let p = normalized(half(0), undilated)
      let q = half(1)
      return x.indices.map { x[$0] + p[$0] / (1 + exp(-q[$0])) }
    }

    // The first layer is normalized by the taps of the undilated mask.
    var u = normalized(convolution("u_init", input, first), undilated)
    var stack = [u]
    for group in 0..<3 {
      for index in 0..<configuration.blocks {
        u = gatedBlock("up_layers.\(group).u_stream.\(index)", u, skip: nil)
        stack.append(u)
      }
      if group < 2 {
        u = normalized(convolution("downsize_u_stream.\(group)", u, dilated), dilated)
        stack.append(u)
      }
    }
    u = stack.removeLast()
    for group in 0..<3 {
      for index in 0..<(configuration.blocks + (group == 0 ? 0 : 1)) {
        u = gatedBlock("down_layers.\(group).u_stream.\(index)", u, skip: stack.removeLast())
      }
      if group < 2 { u = normalized(convolution("upsize_u_stream.\(group)", u, dilated), dilated) }
    }
    return linear("nin_out.lin_a", u.map(elu))
  }

  private func convolution(_ name: String, _ x: [Double], _ mask: LocalMask) -> [Double] {
    let weight = weight(name)
    let inputs = x.count / (images * size.pixels)
    let outputs = weight.count / inputs / mask.window.taps
    let shape = MaskedConvolutionReference.Shape(
      size: size, window: mask.window, images: images, inputs: inputs, outputs: outputs)
    return MaskedConvolutionReference.forward(
      shape, mask: mask.visible, x: x, weight: weight,
      bias: parameters[name + ".bias"] ?? [Double](repeating: 0, count: outputs),
      maskWeight: parameters[name + ".mask_weight"])
  }

  private func linear(_ name: String, _ x: [Double]) -> [Double] {
    let weight = weight(name)
    let bias = parameters[name + ".bias", default: []]
    let inputs = weight.count / bias.count
    return (0..<(x.count / inputs)).flatMap { row in
      bias.indices.map { output in
        (0..<inputs).reduce(bias[output]) { $0 + x[row * inputs + $1] * weight[output * inputs + $1] }
      }
    }
  }

  /// The weight, or g * v / |v| for each output channel.
  func weight(_ name: String) -> [Double] {
    guard let gain = parameters[name + ".weight_g"], let direction = parameters[name + ".weight_v"] else {
      return parameters[name + ".weight", default: []]
    }
    let count = direction.count / gain.count
    return gain.indices.flatMap { output in
      let row = direction[(output * count)..<((output + 1) * count)]
      let norm = row.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return row.map { gain[output] * $0 / norm }
    }
  }

  /// Normalizes F channels at each location.
  private func normalized(_ x: [Double], _ mask: LocalMask) -> [Double] {
    let filters = configuration.filters
    switch configuration.normalization {
    case .none, .weightNorm: return x
    case .orderRescale:
      let counts = mask.visibleCounts
      return x.indices.map { x[$0] / Double(counts[$0 / filters % size.pixels]) }
    case .pono:
      return stride(from: 0, to: x.count, by: filters).flatMap { start in
        let location = x[start..<(start + filters)]
        let mean = location.reduce(0, +) / Double(filters)
        let variance = location.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(filters - 1)
        return location.map { ($0 - mean) / (variance + 1e-5).squareRoot() }
      }
    }
  }

  private func concatELU(_ x: [Double]) -> [Double] {
    let filters = configuration.filters
    return stride(from: 0, to: x.count, by: filters).flatMap { start in
      let location = x[start..<(start + filters)]
      return location.map(elu) + location.map { elu(-$0) }
    }
  }

  func elu(_ x: Double) -> Double { x > 0 ? x : expm1(x) }
}
