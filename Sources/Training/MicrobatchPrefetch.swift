import Datasets
import Foundation
import Imaging
import Model
import Orders

/// A microbatch that is ready to be computed.
///
/// Sendable because one thread at a time has it: `MicrobatchPrefetch` hands it over.
package final class Microbatch: @unchecked Sendable {
  /// Pixels of its images, [images * pixels, channels]; there is more behind them where others are larger.
  package fileprivate(set) var levels: [UInt8]
  /// Number of its images.
  package fileprivate(set) var images = 0
  /// The plan of its generation order.
  package fileprivate(set) var plan: OrderPlan
  /// Rows and columns of its images.
  package var size: ImageSize { plan.order.size }

  fileprivate init(values: Int, plan: OrderPlan) {
    levels = [UInt8](repeating: 0, count: values)
    self.plan = plan
  }
}

/// The microbatches of a rank, each made ready by a thread of its own while the one before is computed: its images read,
/// binarized and mirrored, its order drawn and planned. So a run with new orders all the time waits for no plan.
///
/// Sendable because everything mutable is touched under the condition's lock, but for `next` and `source`, which are the
/// thread's as long as what is `wanted` is not ready.
package final class MicrobatchPrefetch: @unchecked Sendable {
  private struct Key: Equatable {
    var step: Int
    var slot: Int
  }

  private let condition = NSCondition()
  private let slots: Range<Int>
  private var source: MicrobatchSource
  private var current: Microbatch
  private var next: Microbatch
  private var wanted: Key?
  private var failure: DatasetError?
  private var isReady = false
  private var isStopping = false

  /// Microbatches `slots` of all steps, from `source`.
  package init(_ source: MicrobatchSource, slots: Range<Int>) {
    self.source = source
    self.slots = slots
    current = source.emptyMicrobatch()
    next = source.emptyMicrobatch()
    let thread = Thread { [self] in run() }
    thread.name = "prefetch"
    thread.start()
  }

  /// Microbatch `slot` of `step`, valid until the next one is taken; the one that follows it is begun.
  ///
  /// - Throws: when its images cannot be read, or are damaged.
  package func take(step: Int, slot: Int) throws(DatasetError) -> Microbatch {
    condition.lock()
    defer { condition.unlock() }
    want(Key(step: step, slot: slot))
    while !isReady { condition.wait() }
    if let failure {
      // Asked for again, it is read again.
      wanted = nil
      throw failure
    }
    swap(&current, &next)
    want(following(Key(step: step, slot: slot)))
    return current
  }

  private func following(_ key: Key) -> Key {
    key.slot + 1 < slots.upperBound
      ? Key(step: key.step, slot: key.slot + 1) : Key(step: key.step + 1, slot: slots.lowerBound)
  }

  /// Ends the thread.
  package func stop() {
    condition.lock()
    isStopping = true
    condition.broadcast()
    condition.unlock()
  }

  /// Has the thread make `key` ready, unless it already did or does.
  private func want(_ key: Key) {
    guard wanted != key else { return }
    while wanted != nil && !isReady { condition.wait() }
    wanted = key
    isReady = false
    condition.broadcast()
  }

  private func run() {
    condition.lock()
    while !isStopping {
      guard let key = wanted, !isReady else {
        condition.wait()
        continue
      }
      condition.unlock()
      var failure: DatasetError?
      do throws(DatasetError) {
        try source.fill(next, step: key.step, slot: key.slot)
        let after = following(key)
        source.willNeed(step: after.step, slot: after.slot)
      } catch { failure = error }
      condition.lock()
      self.failure = failure
      isReady = true
      condition.broadcast()
    }
    condition.unlock()
  }
}

/// Where microbatches come from: images, their size, binarization and orders, all functions of (seed, step, slot).
package struct MicrobatchSource {
  /// The most orders of a size whose plans are all kept; a plan of 32 x 32 pixels takes about 0.3 MB.
  private static let mostPlansKept = 64

  private let dataset: ImageDataset
  private let sizes: SizeSelection
  private let windows: NetworkWindows
  private let seed: UInt64
  private var sampler: EpochSampler
  /// By size, each nil where nothing is done.
  private var scalings: [AreaScaling?]
  private let flips: [HorizontalFlip?]
  /// By size and order; none of a size whose plans are not kept.
  private let plans: [[OrderPlan]]

  /// Microbatches of the images of `dataset` that `sampler` picks, some mirrored if it `flips`, in the sizes and orders
  /// that `sizes` draws, for a network with `windows`.
  package init(
    dataset: ImageDataset, sampler: EpochSampler, sizes: SizeSelection, windows: NetworkWindows, seed: UInt64,
    flips: Bool = false
  ) {
    self.dataset = dataset
    self.sampler = sampler
    self.sizes = sizes
    self.windows = windows
    self.seed = seed
    let channels = dataset.channels
    scalings = sizes.sizes.map {
      $0 == dataset.size ? nil : AreaScaling(from: dataset.size, to: $0, channels: channels)
    }
    self.flips = sizes.sizes.map { flips ? HorizontalFlip(seed: seed, size: $0, channels: channels) : nil }
    plans = sizes.sizes.indices.map { index in
      let orders = sizes.orders(at: index).train
      return orders.count <= Self.mostPlansKept ? orders.map { OrderPlan(order: $0.order, windows: windows) } : []
    }
  }

  /// Bytes of the plans that are kept, or under way, for the orders and sizes of `sizes`.
  static func planBytes(_ sizes: SizeSelection, windows: NetworkWindows) -> Int {
    sizes.sizes.enumerated().reduce(0) { sum, entry in
      let orders = sizes.orders(at: entry.offset).train.count
      // Of plans that are not kept, one is in use, one is ready, and one is made.
      let plans = (1...mostPlansKept).contains(orders) ? orders : 3
      return sum + plans * OrderPlan.bytes(size: entry.element, windows: windows)
    }
  }

  /// Room for a microbatch.
  func emptyMicrobatch() -> Microbatch {
    Microbatch(
      values: sampler.imagesPerSlot * sizes.largest.pixels * dataset.channels,
      plan: plan(step: 0, slot: 0, size: sizes.index(step: 0, slot: 0)))
  }

  /// Has the images of microbatch `slot` of `step` read from the disk, if they are there.
  mutating func willNeed(step: Int, slot: Int) { dataset.willNeed(sampler.images(step: step, slot: slot)) }

  /// Writes microbatch `slot` of `step` to `microbatch`. Allocates nothing but the plan of an order that is new.
  ///
  /// - Throws: when its images cannot be read, or are damaged.
  mutating func fill(_ microbatch: Microbatch, step: Int, slot: Int) throws(DatasetError) {
    let images = sampler.images(step: step, slot: slot)
    let size = sizes.index(step: step, slot: slot)
    try dataset.fill(
      levels: &microbatch.levels, images: images, key: .training(seed: seed, step: step, slot: slot),
      scaledBy: &scalings[size])
    flips[size]?.apply(to: &microbatch.levels, images: images, epoch: sampler.epoch(ofStep: step))
    microbatch.images = images.count
    microbatch.plan = plan(step: step, slot: slot, size: size)
  }

  private func plan(step: Int, slot: Int, size: Int) -> OrderPlan {
    let orders = sizes.orders(at: size)
    if !plans[size].isEmpty, let index = orders.trainingIndex(step: step, slot: slot) { return plans[size][index] }
    return OrderPlan(order: orders.trainingOrder(step: step, slot: slot).order, windows: windows)
  }
}
