import Tensors

/// Which images make up which microbatch: a function of the seed, the step and the slot alone, so of nothing that depends
/// on the number of ranks.
///
/// In each epoch the images are permuted anew. Step by step, each of the `slots` microbatches takes the next
/// `imagesPerSlot` images of the permutation. Images at its end that are too few for a step are left out of this epoch;
/// the next epoch's permutation will leave out others.
public struct EpochSampler: Sendable {
  /// Number of images in the set.
  public let count: Int
  /// Microbatches in a step.
  public let slots: Int
  /// Images in a microbatch.
  public let imagesPerSlot: Int
  /// Steps in an epoch.
  public let stepsPerEpoch: Int
  private let seed: UInt64
  private var permutedEpoch = 0
  private var permutation: [Int]

  /// The samples of a run with `seed` over `count` images, by `slots` microbatches of `imagesPerSlot` images a step.
  ///
  /// - Throws: when the set is smaller than one step's images.
  public init(count: Int, slots: Int, imagesPerSlot: Int, seed: UInt64) throws(DatasetError) {
    precondition(slots > 0 && imagesPerSlot > 0, "EpochSampler: \(slots) slots of \(imagesPerSlot) images")
    let stepsPerEpoch = count / imagesPerSlot / slots
    guard stepsPerEpoch > 0 else {
      throw .tooFewImages(count: count, slots: slots, imagesPerSlot: imagesPerSlot)
    }
    self.count = count
    self.slots = slots
    self.imagesPerSlot = imagesPerSlot
    self.stepsPerEpoch = stepsPerEpoch
    self.seed = seed
    permutation = Self.permutation(seed: seed, epoch: 0, count: count)
  }

  /// The epoch that `step` belongs to, both from 0.
  public func epoch(ofStep step: Int) -> Int { step / stepsPerEpoch }

  /// The images of microbatch `slot` of `step`: a view of the epoch's permutation, which is drawn only when `step` is in
  /// another epoch than the step asked for before.
  public mutating func images(step: Int, slot: Int) -> ArraySlice<Int> {
    precondition(step >= 0 && slot >= 0 && slot < slots, "EpochSampler: step \(step), slot \(slot) of \(slots)")
    let epoch = epoch(ofStep: step)
    if epoch != permutedEpoch {
      permutation = Self.permutation(seed: seed, epoch: epoch, count: count)
      permutedEpoch = epoch
    }
    let start = (step % stepsPerEpoch * slots + slot) * imagesPerSlot
    return permutation[start..<(start + imagesPerSlot)]
  }

  private static func permutation(seed: UInt64, epoch: Int, count: Int) -> [Int] {
    var generator = KeyedGenerator(seed: seed, purpose: .epochPermutation, step: epoch)
    return generator.permutation(of: count)
  }
}
