import Collectives
import Kernels
import Model
import Orders
import Tensors

/// Generating pixels of a batch of images by all ranks, each its share of the images: the same pixels on any number of
/// ranks.
public struct SharedSampling {
  private let network: AutoregressiveNetwork
  private let size: ImageSize
  private let imagesAtOnce: Int
  private let communicator: any Communicator
  private let pool: ThreadPool

  /// Generates images of `size`, at most `imagesAtOnce` at a time on each rank: memory grows with it.
  public init(
    network: AutoregressiveNetwork, size: ImageSize, imagesAtOnce: Int = .max, communicator: any Communicator,
    pool: ThreadPool
  ) {
    precondition(imagesAtOnce > 0, "SharedSampling: \(imagesAtOnce) images at once")
    self.network = network
    self.size = size
    self.imagesAtOnce = imagesAtOnce
    self.communicator = communicator
    self.pool = pool
  }

  /// `levels` `[images, pixels, channels]` with the `missing` pixels sampled, on every rank; see `CachedSampler`.
  ///
  /// `shouldContinue` is told how many pixels of the images under way are done on this rank; when it says no on any rank,
  /// nothing comes of it: nil, on all ranks.
  ///
  /// - Throws: when a rank is silent.
  public func complete(
    _ levels: [UInt8], missing: Set<Int>, order: GenerationOrder, parameters: FloatBuffer, temperature: Double,
    seed: UInt64, shouldContinue: (_ done: Int) -> Bool = { _ in true }
  ) throws(CollectiveError) -> [UInt8]? {
    let valuesPerImage = size.pixels * network.configuration.channels
    let images = levels.count / valuesPerImage
    let share =
      (images * communicator.rank / communicator.size)..<(images * (communicator.rank + 1) / communicator.size)
    var completed: [UInt8] = []
    var isComplete = true
    var first = share.lowerBound
    while isComplete && first < share.upperBound {
      let end = first + min(imagesAtOnce, share.upperBound - first)
      var batch = Array(levels[(first * valuesPerImage)..<(end * valuesPerImage)])
      let sampler = CachedSampler(network: network, size: size, images: end - first, pool: pool)
      isComplete = sampler.complete(
        levels: &batch, missing: missing, order: order, parameters: parameters, temperature: temperature, seed: seed,
        firstImage: first, shouldContinue: shouldContinue)
      completed += batch
      first = end
    }
    // Ranks take different times; nobody is silent while it generates.
    guard try communicator.maximum(isComplete ? 0 : 1) == 0 else { return nil }
    return try communicator.allGather(completed).flatMap { $0 }
  }
}
