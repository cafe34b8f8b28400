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
    let valuesPerImage = order.size.pixels * model.experiment.network.configuration.channels
    let images = levels.count / valuesPerImage
    let first = images * communicator.rank / communicator.size
    let end = images * (communicator.rank + 1) / communicator.size
    var share = Array(levels[(first * valuesPerImage)..<(end * valuesPerImage)])
    var isComplete = true
    // The ranks' shares differ by one image at most: rank 0 speaks for all.
    var progress = WorkProgress(
      "generating", unit: "pixels", total: order.size.pixels, isShown: communicator.rank == 0, log: log)
    if !share.isEmpty {
      let sampler = CachedSampler(
        network: model.experiment.network, size: order.size, images: end - first,
        pool: ThreadPool(threads: HostThreads.count(requested: threads, communicator: communicator)))
      isComplete = sampler.complete(
        levels: &share, missing: missing, order: order, parameters: model.parameters, temperature: options.temperature,
        seed: options.seed, firstImage: first
      ) { done in
        progress.show(done)
        return !stopSignal.isReceived
      }
      progress.clear()
    }
    // Ranks take different times; nobody is silent while it generates.
    guard try communicator.maximum(isComplete ? 0 : 1) == 0 else {
      log.info("stopped on request; no picture was written")
      try Job.leave(communicator, status: ExitStatus.stopped)
    }
    return try communicator.allGather(share).flatMap { $0 }
  }
}
