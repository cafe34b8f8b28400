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
    let valuesPerImage = model.experiment.test.valuesPerImage
    let images = levels.count / valuesPerImage
    let first = images * communicator.rank / communicator.size
    let end = images * (communicator.rank + 1) / communicator.size
    var share = Array(levels[(first * valuesPerImage)..<(end * valuesPerImage)])
    var isComplete = true
    if !share.isEmpty {
      let sampler = CachedSampler(
        network: model.experiment.network, size: order.size, images: end - first,
        pool: ThreadPool(threads: HostThreads.count(requested: threads, communicator: communicator)))
      isComplete = sampler.complete(
        levels: &share, missing: missing, order: order, parameters: model.parameters, temperature: options.temperature,
        seed: options.seed, firstImage: first
      ) { _ in !stopSignal.isReceived }
    }
    // Ranks take different times; nobody is silent while it generates.
    guard try communicator.maximum(isComplete ? 0 : 1) == 0 else {
      log.info("stopped on request; no picture was written")
      try Job.leave(communicator, status: ExitStatus.stopped)
    }
    return try communicator.allGather(share).flatMap { $0 }
  }
}

/// Pictures of images given as levels `[images, pixels, channels]`.
func pictures(_ levels: [UInt8], of dataset: ImageDataset) -> [PNGImage] {
  stride(from: 0, to: levels.count, by: dataset.valuesPerImage).map { start in
    PNGImage(
      size: dataset.size, channels: dataset.channels, levels: Array(levels[start..<(start + dataset.valuesPerImage)]),
      bitDepth: dataset.bits)
  }
}
