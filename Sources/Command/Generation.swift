import Collectives
import Datasets
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
  private let order: GenerationOrder
  private let options: GenerationOptions
  private let threads: Int

  init(_ model: ModelOptions.Opened, order: GenerationOrder, options: GenerationOptions, threads: Int) {
    self.model = model
    self.order = order
    self.options = options
    self.threads = threads
  }

  /// `levels` `[images, pixels, channels]` with the `missing` pixels sampled; the same on every rank and for any number
  /// of ranks.
  ///
  /// - Throws: when interrupted, or a rank is silent.
  func complete(
    _ levels: [UInt8], missing: Set<Int>, over communicator: any Communicator, stopSignal: StopSignal, log: Logger
  ) throws -> [UInt8] {
    // The ranks' shares differ by one image at most: rank 0 speaks for all.
    var progress = WorkProgress(
      "generating", unit: "pixels", total: order.size.pixels, isShown: communicator.rank == 0, log: log)
    let sampling = SharedSampling(
      network: model.experiment.network, size: order.size, communicator: communicator,
      pool: ThreadPool(threads: HostThreads.count(requested: threads, communicator: communicator)))
    let completed = try sampling.complete(
      levels, missing: missing, order: order, parameters: model.parameters, temperature: options.temperature,
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
