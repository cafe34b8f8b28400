import Datasets
import Model
import Orders

/// Everything a run is told: one struct a section of the YAML file, one property a key.
///
/// The defaults are the digits run. What a key means, its unit and the values it takes are said once, in
/// `ConfigurationKey.all`; docs/configuration.md is generated from that table.
public struct RunConfiguration: Sendable, Hashable {
  /// Key `name`.
  public var name = "digits"
  /// Key `seed`.
  public var seed: UInt64 = 1
  /// Section `data`.
  public var data = DataOptions()
  /// Section `model`.
  public var model = ModelOptions()
  /// Section `orders`.
  public var orders = OrderOptions()
  /// Section `training`.
  public var training = TrainingOptions()
  /// Section `guard`.
  public var guards = GuardOptions()
  /// Section `checkpoint`.
  public var checkpoint = CheckpointOptions()
  /// Section `evaluation`.
  public var evaluation = EvaluationOptions()
  /// Section `monitoring`.
  public var monitoring = MonitoringOptions()
  /// Section `run`.
  public var run = RunOptions()

  /// The default run.
  public init() {}

  /// The network this configuration describes, for images of `channels` channels.
  public func modelConfiguration(channels: Int) -> ModelConfiguration {
    let distribution: PixelDistribution =
      switch model.distribution {
      case .binary: .binary
      case .logisticMixture: .logisticMixture(mixtures: model.mixtures, bits: data.bits)
      }
    return ModelConfiguration(
      architecture: model.architecture, channels: channels, filters: model.filters, blocks: model.blocks,
      kernel: model.kernel, dilation: model.dilation,
      normalization: model.normalization, dropout: Float(model.dropout), bias: model.bias,
      maskWeight: model.maskWeight, distribution: distribution)
  }
}

extension RunConfiguration {
  /// Section `data`: the images and the values of their pixels.
  public struct DataOptions: Sendable, Hashable {
    /// Key `data.set`.
    public var set = ImageSet.digits
    /// Key `data.folder`; nil for the digits that come with the program.
    public var folder: String?
    /// Key `data.size`, in pixels; nil keeps the size of the pictures.
    public var size: Int?
    /// Key `data.channels`; nil keeps the channels of the pictures.
    public var channels: Int?
    /// Key `data.test_fraction`.
    public var testFraction = 0.1
    /// Key `data.skip_bad`.
    public var skipBad = false
    /// Key `data.bits`.
    public var bits = 8
    /// Key `data.binarize`.
    public var binarize = Binarization.stochastic
    /// Key `data.flip`.
    public var flip = false
    /// Key `data.resize`, in pixels; none keeps the size of the images.
    public var resize: [Int] = []
    /// Key `data.resize_probabilities`; none makes all sizes equally likely.
    public var resizeProbabilities: [Double] = []

    /// What pictures in files become.
    public var pictures: PictureOptions {
      PictureOptions(side: size, channels: channels, testFraction: testFraction, skipsBad: skipBad)
    }

    /// Channels of the images as far as they are known before the files are read.
    public var knownChannels: Int? { self.set.channels ?? channels }

    /// Reads the images of `split`.
    ///
    /// - Throws: when files are missing, damaged, or not what they should be.
    public func images(of split: Split) throws(DatasetError) -> ImageDataset {
      try ImageDataset.load(
        set: set, folder: folder, split: split, bits: binarize == .none ? bits : 1, binarization: binarize,
        pictures: pictures)
    }
  }

  /// Section `model`: the network.
  public struct ModelOptions: Sendable, Hashable {
    /// Key `model.architecture`.
    public var architecture = Architecture.lmconv
    /// Key `model.filters`.
    public var filters = 32
    /// Key `model.blocks`.
    public var blocks = 1
    /// Key `model.kernel`.
    public var kernel = 3
    /// Key `model.dilation`.
    public var dilation = 2
    /// Key `model.normalization`.
    public var normalization = Normalization.pono
    /// Key `model.dropout`.
    public var dropout = 0.0
    /// Key `model.bias`.
    public var bias = true
    /// Key `model.mask_weight`.
    public var maskWeight = false
    /// Key `model.distribution`.
    public var distribution = Distribution.binary
    /// Key `model.mixtures`.
    public var mixtures = 10
    /// Key `model.rematerialize`.
    public var rematerialize = false

    /// What a training forward pass keeps.
    public var retention: ActivationRetention { rematerialize ? .outputs : .everything }
  }

  /// Section `orders`: the generation orders trained and tested with.
  public struct OrderOptions: Sendable, Hashable {
    /// Key `orders.base`.
    public var base = BaseOrder.sCurve
    /// Key `orders.file`; nil for the order that `base` names.
    public var file: String?
    /// Key `orders.transpose`.
    public var transpose = false
    /// Key `orders.reflect_rows`.
    public var reflectRows = false
    /// Key `orders.reflect_columns`.
    public var reflectColumns = false
    /// Key `orders.train`.
    public var train = TrainingOrders.list(allVariants)
    /// Key `orders.test`.
    public var test = allVariants
    /// Key `orders.per`.
    public var per = OrderInterval.microbatch

    /// A file whose order is trained with, if there is one.
    var trainedFile: String? {
      guard case .list(let choices) = train else { return nil }
      for choice in choices {
        switch choice {
        case .file(let path): return path
        case .variant: if let file { return file }
        case .base, .random, .randoms: continue
        }
      }
      return nil
    }

    private static let allVariants = OrderVariant.allCases.map(OrderChoice.variant)
  }

  /// Which orders training draws from.
  public enum TrainingOrders: Sendable, Hashable {
    /// These.
    case list([OrderChoice])
    /// All: a new random permutation each time.
    case fresh
  }

  /// Section `training`: length, batches, loss and optimizer.
  public struct TrainingOptions: Sendable, Hashable {
    /// Key `training.steps`; 0 when `epochs` gives the length.
    public var steps = 1000
    /// Key `training.epochs`; 0 when `steps` gives the length.
    public var epochs = 0
    /// Key `training.microbatches`.
    public var microbatches = 8
    /// Key `training.microbatch_size`, in images.
    public var microbatchSize = 2
    /// Key `training.learning_rate`.
    public var learningRate = 2e-3
    /// Key `training.beta1`.
    public var beta1 = 0.9
    /// Key `training.beta2`.
    public var beta2 = 0.999
    /// Key `training.epsilon`.
    public var epsilon = 1e-8
    /// Key `training.weight_decay`.
    public var weightDecay = 0.0
    /// Key `training.schedule`.
    public var schedule = Schedule.cosine
    /// Key `training.decay`.
    public var decay = 0.999995
    /// Key `training.warmup_steps`.
    public var warmupSteps = 0
    /// Key `training.final_learning_rate_fraction`.
    public var finalLearningRateFraction = 0.0
    /// Key `training.clip_norm`; 0 does not clip.
    public var clipNorm = 200.0
    /// Key `training.ema_decay`; 0 keeps no average.
    public var emaDecay = 0.995
    /// Key `training.loss_unit`.
    public var lossUnit = LossUnit.nats
    /// Key `training.loss_reduction`.
    public var lossReduction = LossReduction.mean

    /// Images of one optimizer step, over all ranks.
    public var imagesPerStep: Int { microbatches * microbatchSize }
  }

  /// Section `guard`: steps that are not fit for an update.
  public struct GuardOptions: Sendable, Hashable {
    /// Key `guard.policy`.
    public var policy = GuardPolicy.stop
    /// Key `guard.max_loss`, in bits per dimension; 0 allows all that is finite.
    public var maxLoss = 0.0
    /// Key `guard.max_gradient_norm`; 0 allows all that is finite.
    public var maxGradientNorm = 0.0
    /// Key `guard.max_skips`.
    public var maxSkips = 10
    /// Key `guard.check_parameters_every`, in steps; 0 never checks.
    public var checkParametersEvery = 0
  }

  /// Section `checkpoint`: when a checkpoint is written and which are kept.
  public struct CheckpointOptions: Sendable, Hashable {
    /// Key `checkpoint.every_steps`; 0 does not count steps.
    public var everySteps = 100
    /// Key `checkpoint.every_seconds`; 0 does not look at the clock.
    public var everySeconds = 600.0
    /// Key `checkpoint.keep_last`.
    public var keepLast = 3
    /// Key `checkpoint.keep_every`, in steps; 0 keeps no others.
    public var keepEvery = 0
    /// Key `checkpoint.timeout_seconds`.
    public var timeoutSeconds = 1800.0
  }

  /// Section `evaluation`: the likelihood of the test images.
  public struct EvaluationOptions: Sendable, Hashable {
    /// Key `evaluation.every_steps`; 0 evaluates at the end only.
    public var everySteps = 0
    /// Key `evaluation.images`; 0 takes all.
    public var images = 0
    /// Key `evaluation.batch_size`, in images.
    public var batchSize = 10
    /// Key `evaluation.use_ema`.
    public var useEMA = true
  }

  /// Section `monitoring`: what is written for people to look at, besides metrics and log.
  public struct MonitoringOptions: Sendable, Hashable {
    /// Key `monitoring.tensorboard`.
    public var tensorboard = true
    /// Key `monitoring.samples`, in images; 0 draws none.
    public var samples = 8
    /// Key `monitoring.completions`, in images; 0 draws none.
    public var completions = 8
    /// Key `monitoring.histograms`.
    public var histograms = true
  }

  /// Section `run`: how the work is carried out and shown; nothing here changes a result.
  public struct RunOptions: Sendable, Hashable {
    /// Key `run.threads`, per rank; 0 divides the host's cores among its ranks.
    public var threads = 0
    /// Key `run.log_level`.
    public var logLevel = LogLevel.info
    /// Key `run.log_every_steps`.
    public var logEverySteps = 10
    /// Key `run.timeout_seconds`.
    public var timeoutSeconds = 60.0
    /// Key `run.progress`.
    public var progress = ProgressDisplay.auto
  }
}
