import Collectives
import Datasets
import Evaluation
import Foundation
import Imaging
import Kernels
import Logging
import Orders
import Sampling
import Training

/// Generating pixels of a batch of images by all ranks, each its share of the images.
struct Generation {
  private let model: ModelOptions.Opened
  private let order: NamedOrder
  private let options: GenerationOptions
  private let threads: Int

  init(_ model: ModelOptions.Opened, order: NamedOrder, options: GenerationOptions, threads: Int) {
    self.model = model
    self.order = order
    self.options = options
    self.threads = threads
  }

  /// `levels` `[images, pixels, channels]` with the `missing` pixels sampled; the same on every rank and for any number
  /// of ranks.
  ///
  /// - Throws: when the network cannot generate these pixels in the order, when interrupted, or when a rank is silent.
  func complete(
    _ levels: [UInt8], missing: Set<Int>, over communicator: any Communicator, stopSignal: StopSignal, log: Logger
  ) throws -> [UInt8] {
    let observed = Set(0..<order.order.size.pixels).subtracting(missing)
    try model.experiment.network.require(order: order.order, named: order.name, observed: observed)
    // The ranks' shares differ by one image at most: rank 0 speaks for all.
    var progress = WorkProgress(
      "generating", unit: "pixels", total: order.order.size.pixels, isShown: communicator.rank == 0, log: log)
    let sampling = SharedSampling(
      network: model.experiment.network, size: order.order.size, communicator: communicator,
      pool: ThreadPool(threads: HostThreads.count(requested: threads, communicator: communicator)))
    let completed = try sampling.complete(
      levels, missing: missing, order: order.order, parameters: model.parameters, temperature: options.temperature,
      seed: options.seed
    ) { done in
      progress.show(done)
      return !stopSignal.isReceived
    }
    progress.clear()
    guard let completed else {
      log.info("stopped on request; no picture was written")
      try Job.leave(communicator, status: ExitStatus.stopped)
    }
    return completed
  }
}
