import Datasets
import Kernels
import Model
import Orders
import Tensors

/// How strongly a pixel's distribution depends on each pixel of the image, measured: the gradient of the network's outputs
/// at that pixel with respect to its input.
public struct ReceptiveField: Sendable {
  /// The pixel, row * columns + column.
  public let pixel: Int
  /// Size of the images.
  public let size: ImageSize
  /// `[rows * columns]`: root mean square, over images, directions of the outputs and channels, of the derivative with
  /// respect to the pixel's values in [-1, 1].
  public let sensitivity: [Double]

  /// Pixels that the distribution depends on.
  public var pixels: Int { sensitivity.count { $0 > 0 } }

  /// Mean distance to the pixels it depends on, weighted by the squared sensitivity; 0 where it depends on none.
  public var meanDistance: Double {
    var (sum, weight) = (0.0, 0.0)
    for (other, value) in sensitivity.enumerated() {
      let rows = Double(other / size.columns - pixel / size.columns)
      let columns = Double(other % size.columns - pixel % size.columns)
      sum += value * value * (rows * rows + columns * columns).squareRoot()
      weight += value * value
    }
    return weight > 0 ? sum / weight : 0
  }

  /// Measures the field of `pixel` under `order` at `levels` `[images, pixels, channels]`.
  ///
  /// For each image the outputs are weighted by random signs, keyed by `seed`: the mean square over signs is the sum of all
  /// outputs' squared derivatives.
  public static func measure(
    pixel: Int, order: GenerationOrder, levels: [UInt8], network: AutoregressiveNetwork, parameters: FloatBuffer,
    seed: UInt64, pool: ThreadPool
  ) -> ReceptiveField {
    let size = order.size
    let channels = network.configuration.channels
    let images = levels.count / (size.pixels * channels)
    precondition(
      images > 0 && (0..<size.pixels).contains(pixel), "ReceptiveField: \(images) images, pixel \(pixel) of \(size)")
    let plan = OrderPlan(order: order, windows: network.windows)
    let workspace = NetworkWorkspace(network: network, size: size, images: 1, retaining: .everything)
    workspace.disableDropout()
    let gradient = FloatBuffer(count: network.layout.count)
    let dInput = Matrix(rows: size.pixels, columns: channels + 1)
    var squares = [Double](repeating: 0, count: size.pixels)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    for image in 0..<images {
      let start = image * size.pixels * channels
      workspace.prepareInput(levels: Array(levels[start..<(start + size.pixels * channels)]), images: 1)
      network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool)
      var generator = KeyedGenerator(seed: seed, purpose: .receptiveField, step: image, slot: pixel)
      workspace.dLogits.fill(0)
      for output in 0..<workspace.dLogits.columns {
        workspace.dLogits[pixel, output] = generator.integer(below: 2) == 0 ? -1 : 1
      }
      network.backward(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, pool: pool, completed: { _ in })
      network.inputGradient(
        parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, dInput: dInput, pool: pool)
      for other in 0..<size.pixels {
        for channel in 0..<channels {
          let derivative = Double(dInput[other, channel])
          squares[other] += derivative * derivative
        }
      }
    }
    let count = Double(images * channels)
    return ReceptiveField(pixel: pixel, size: size, sensitivity: squares.map { ($0 / count).squareRoot() })
  }
}
