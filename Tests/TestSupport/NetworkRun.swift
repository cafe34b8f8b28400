import Kernels
import Model
import Orders
import Tensors

/// One network with its parameters, ready to run on batches of images: what a training step does, without optimizer.
public final class NetworkRun {
  /// The network.
  public let network: AutoregressiveNetwork
  /// The parameters in use; `load` prepares others.
  public private(set) var parameters: FloatBuffer
  /// Activations, logits and their gradient.
  public let workspace: NetworkWorkspace
  /// -log p of every pixel of the last `loss`, in nats.
  public let nats: DoubleBuffer
  /// The threads.
  public let pool: ThreadPool

  private let pixelLoss: PixelLoss
  private let scratch: DoubleBuffer

  /// A run of `network` with `parameters` on up to `images` images of `size`.
  public init(
    _ network: AutoregressiveNetwork, parameters: FloatBuffer, size: ImageSize, images: Int, threads: Int = 1,
    retaining retention: ActivationRetention = .everything
  ) {
    self.network = network
    self.parameters = parameters
    pool = ThreadPool(threads: threads)
    workspace = NetworkWorkspace(network: network, size: size, images: images, retaining: retention)
    pixelLoss = PixelLoss(distribution: network.configuration.distribution, channels: network.configuration.channels)
    nats = DoubleBuffer(count: images * size.pixels)
    scratch = DoubleBuffer(count: pixelLoss.scratchCount(threads: threads))
    workspace.disableDropout()
    load(parameters)
  }

  /// Runs with `parameters` from now on; due too when the present ones have changed.
  public func load(_ parameters: FloatBuffer) {
    self.parameters = parameters
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
  }

  /// Computes the logits of `levels` `[images, pixels, channels]` under the order of `plan`.
  @discardableResult
  public func forward(_ levels: [UInt8], plan: OrderPlan, observe: LayerObserver? = nil) -> Matrix {
    let valuesPerImage = workspace.size.pixels * network.configuration.channels
    workspace.prepareInput(levels: levels, images: levels.count / valuesPerImage)
    network.forward(
      parameters: parameters, plan: plan, workspace: workspace, pool: pool, observe: observe)
    return workspace.logits
  }

  /// The sum of -log p of `levels` over all pixels, in nats; also writes the gradient of the logits.
  public func loss(_ levels: [UInt8], plan: OrderPlan) -> Double {
    forward(levels, plan: plan)
    return loss(levels)
  }

  private func loss(_ levels: [UInt8]) -> Double {
    let logits = workspace.logits
    pixelLoss.evaluate(
      levels: levels, logits: logits, dLogits: workspace.dLogits, nats: nats, scratch: scratch, pool: pool)
    return nats.sum(in: 0..<logits.rows)
  }

  /// The same for `images` images of a smaller `size`.
  public func loss(_ levels: [UInt8], images: Int, size: ImageSize, plan: OrderPlan) -> Double {
    workspace.prepareInput(levels: levels, images: images, size: size)
    network.forward(parameters: parameters, plan: plan, workspace: workspace, pool: pool)
    return loss(levels)
  }

  /// Writes the gradient of the last `loss` to `gradient`.
  public func backward(plan: OrderPlan, into gradient: FloatBuffer, completed: (Int) -> Void = { _ in }) {
    network.backward(
      parameters: parameters, plan: plan, workspace: workspace, gradient: gradient, pool: pool, completed: completed)
  }
}
