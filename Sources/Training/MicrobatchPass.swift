import Datasets
import Kernels
import Model
import Tensors
import Tracing

/// Forward and backward of one microbatch after another: the part of a step that a rank does by itself, a function of
/// parameters, step and slot alone.
final class MicrobatchPass {
  let network: AutoregressiveNetwork
  let dataset: ImageDataset
  let sizes: SizeSelection
  let workspace: NetworkWorkspace
  /// Negative log likelihoods of the last microbatch's pixels, image by image.
  let nats: DoubleBuffer
  private let pool: ThreadPool
  private let seed: UInt64
  private let schedule: TrainingSchedule
  private let loss: PixelLoss
  private let scratch: DoubleBuffer
  private let prefetch: MicrobatchPrefetch
  private var sampler: EpochSampler

  /// Allocates all that microbatches `slots` of `experiment` need, whose images `sampler` chooses from `dataset` and
  /// `sizes` scales.
  init(
    _ experiment: Experiment, dataset: ImageDataset, sampler: EpochSampler, sizes: SizeSelection,
    schedule: TrainingSchedule, slots: Range<Int>, pool: ThreadPool
  ) {
    let configuration = experiment.configuration
    let images = configuration.training.microbatchSize
    network = experiment.network
    seed = configuration.seed
    self.schedule = schedule
    self.sizes = sizes
    self.dataset = dataset
    self.sampler = sampler
    self.pool = pool
    loss = PixelLoss(distribution: network.configuration.distribution, channels: dataset.channels)
    workspace = NetworkWorkspace(
      network: network, size: sizes.largest, images: images, retaining: configuration.model.retention)
    nats = DoubleBuffer(count: images * sizes.largest.pixels)
    scratch = DoubleBuffer(count: loss.scratchCount(threads: pool.threads))
    prefetch = MicrobatchPrefetch(
      MicrobatchSource(
        dataset: dataset, sampler: sampler, sizes: sizes, windows: network.windows, seed: configuration.seed,
        flips: configuration.data.flip),
      slots: slots)
  }

  /// Ends the thread that makes microbatches ready.
  func stop() { prefetch.stop() }

  /// Computes what depends on parameters alone. Due whenever they have changed.
  func prepare(parameters: FloatBuffer) {
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
  }

  /// Images of microbatch `slot` of step `step`.
  func images(step: Int, slot: Int) -> ArraySlice<Int> { sampler.images(step: step, slot: slot) }

  /// Forward and backward of microbatch `slot` of step `step`, which overwrites `gradient`. `observe` is told what layers
  /// compute, `between` is called between forward and backward, and `completed` is told from which offset on the gradient
  /// is final.
  ///
  /// - Returns: the negative log likelihood of the images, in nats.
  /// - Throws: when they cannot be read, or are damaged.
  func train(
    step: Int, slot: Int, parameters: FloatBuffer, gradient: FloatBuffer, trace: Trace? = nil,
    observe: LayerObserver? = nil, between: () -> Void = {}, completed: (Int) -> Void = { _ in }
  ) throws(DatasetError) -> Double {
    let microbatch = try trace.measure(.data) { () throws(DatasetError) -> Microbatch in
      let microbatch = try prefetch.take(step: step, slot: slot)
      workspace.prepareInput(levels: microbatch.levels, images: microbatch.images, size: microbatch.size)
      return microbatch
    }
    if network.configuration.dropout > 0 {
      var generator = KeyedGenerator(seed: seed, purpose: .dropout, step: step, slot: slot)
      workspace.drawDropout(&generator)
    }
    trace.measure(.forward) {
      network.forward(
        parameters: parameters, plan: microbatch.plan, workspace: workspace, pool: pool, trace: trace, observe: observe)
    }
    trace.measure(.loss) {
      loss.evaluate(
        levels: microbatch.levels, logits: workspace.logits, dLogits: workspace.dLogits,
        scale: schedule.lossScale(dimensions: microbatch.size.pixels * dataset.channels), nats: nats,
        scratch: scratch, pool: pool)
    }
    between()
    trace.measure(.backward) {
      network.backward(
        parameters: parameters, plan: microbatch.plan, workspace: workspace, gradient: gradient, pool: pool,
        trace: trace, completed: completed)
    }
    return nats.sum(in: 0..<(microbatch.images * microbatch.size.pixels))
  }
}
