import Datasets
import Kernels
import Model
import Orders
import Tensors

/// The likelihood of images pixel by pixel: which pixels a model finds hard to predict under which order.
public struct PixelLikelihoods: Sendable {
  /// Names of the orders.
  public let orders: [String]
  /// Size of the images.
  public let size: ImageSize
  /// -log p of each pixel given those before it, in nats, `[images, orders, pixels]`.
  public let nats: [Double]

  /// Of image `image` under order `order`, `[rows * columns]`.
  public func nats(image: Int, order: Int) -> [Double] {
    let start = (image * orders.count + order) * size.pixels
    return Array(nats[start..<(start + size.pixels)])
  }

  /// Measures `levels` `[images, pixels, channels]` under each of `orders`.
  public static func measure(
    levels: [UInt8], orders: [NamedOrder], size: ImageSize, network: AutoregressiveNetwork, parameters: FloatBuffer,
    pool: ThreadPool
  ) -> PixelLikelihoods {
    let valuesPerImage = size.pixels * network.configuration.channels
    let images = levels.count / valuesPerImage
    let loss = PixelLoss(distribution: network.configuration.distribution, channels: network.configuration.channels)
    // An image at a time: these are few, and memory stays that of one.
    let workspace = NetworkWorkspace(network: network, size: size, images: 1, retaining: .nothing)
    let nats = DoubleBuffer(count: size.pixels)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    let plans = orders.map { OrderPlan(order: $0.order, windows: network.windows) }
    var all: [Double] = []
    all.reserveCapacity(images * orders.count * size.pixels)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    for image in 0..<images {
      let one = Array(levels[(image * valuesPerImage)..<((image + 1) * valuesPerImage)])
      workspace.prepareInput(levels: one, images: 1)
      for plan in plans {
        network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool)
        loss.evaluate(levels: one, logits: workspace.logits, nats: nats, scratch: scratch, pool: pool)
        for pixel in 0..<size.pixels { all.append(nats[pixel]) }
      }
    }
    return PixelLikelihoods(orders: orders.map(\.name), size: size, nats: all)
  }
}
