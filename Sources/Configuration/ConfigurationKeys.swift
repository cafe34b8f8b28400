extension ConfigurationKey {
  /// Every key, in the order of the file.
  public static let all = top + data + model + orders + training + guards + checkpoint + evaluation + monitoring + run

  /// The key at `path`, nil when there is none.
  public static func at(_ path: String) -> ConfigurationKey? { byPath[path] }

  private static let byPath = Dictionary(uniqueKeysWithValues: all.map { ($0.path, $0) })

  /// The sections in the order of the file, with what each is about.
  package static let sections: [(name: String, summary: String)] = [
    ("data", "the images and the values of their pixels"),
    ("model", "the network"),
    (
      "orders",
      "the generation orders; variants are numbered 0 identity, 1 reflect rows, 2 reflect columns, 3 both, "
        + "4 transpose, 5 to 7 transpose then 1 to 3"
    ),
    ("training", "length, batches, loss and optimizer; a step takes several microbatches of images"),
    (
      "guard",
      "steps whose loss or gradient is not fit for an update; one that is not finite never is, and all ranks agree on it"
    ),
    ("checkpoint", "when a checkpoint is written and which are kept"),
    ("evaluation", "the likelihood of the test images during and after training"),
    ("monitoring", "what is written for people to look at, besides metrics and log; docs/seeing.md"),
    ("run", "how the work is carried out and shown"),
  ]

  private static let top = [
    ConfigurationKey(
      "name", \.name, .folderName, isDefining: false, meaning: "name of the run, and of its folder by default"),
    ConfigurationKey("seed", \.seed, meaning: "all random draws of the run are functions of it"),
  ]

  private static let data = [
    ConfigurationKey(
      "data.set", \.data.set,
      meaning: "the data set; digits comes with the program, folder is any folder of pictures, tfrecords CelebA-HQ as "
        + "Glow has it, packed what lmconv data prepare wrote (docs/data.md)"),
    ConfigurationKey(
      "data.folder", \.data.folder, .path, isDefining: false,
      meaning: "folder of the data set's files, of set folder also one file, of set packed the file; null only for the "
        + "digits that come with the program"),
    ConfigurationKey(
      "data.size", \.data.size, .optional(1...1024), unit: "pixels",
      meaning:
        "side of the square that the middle of each picture of set folder or tfrecords is scaled to; null keeps their size"
    ),
    ConfigurationKey(
      "data.channels", \.data.channels, .colours,
      meaning: "1 makes all pictures of set folder or tfrecords grey, 3 makes them RGB; null keeps what they are"),
    ConfigurationKey(
      "data.test_fraction", \.data.testFraction, .between(0, 1),
      meaning: "share of set folder's images that are for testing, by a hash of each file; not used where there are "
        + "folders train and test"),
    ConfigurationKey(
      "data.skip_bad", \.data.skipBad, isDefining: false,
      meaning:
        "whether pictures of set folder or tfrecords that cannot be used are left out and listed, and not refused"),
    ConfigurationKey("data.bits", \.data.bits, .range(1...8), unit: "bits", meaning: "bits kept of each channel's 8"),
    ConfigurationKey(
      "data.binarize", \.data.binarize,
      meaning: "how grey becomes 0 or 1: threshold at one half, or stochastic with the grey value as probability of 1"),
    ConfigurationKey(
      "data.flip", \.data.flip,
      meaning: "whether half of the training images, others in each epoch, are mirrored left to right"),
    ConfigurationKey(
      "data.resize", \.data.resize, .sides, unit: "pixels",
      meaning: "sides of squares; the training images of each microbatch are made smaller to one of them, drawn anew; "
        + "[] keeps their size, which test images always have"),
    ConfigurationKey(
      "data.resize_probabilities", \.data.resizeProbabilities, .probabilities,
      meaning: "how likely a microbatch takes each size of data.resize; [] takes all alike"),
  ]

  private static let model = [
    ConfigurationKey(
      "model.architecture", \.model.architecture,
      meaning:
        "lmconv is the paper's network; pixelcnn_pp its baseline, PixelCNN++, which generates in the raster scan alone"),
    ConfigurationKey(
      "model.filters", \.model.filters, .range(1...65_536), unit: "channels", meaning: "hidden channels (F)"),
    ConfigurationKey("model.blocks", \.model.blocks, .range(1...1_000), meaning: "gated residual blocks a group (R)"),
    ConfigurationKey(
      "model.kernel", \.model.kernel, .windowSide, unit: "taps", meaning: "side of the convolutions' windows"),
    ConfigurationKey(
      "model.dilation", \.model.dilation, .range(1...64), unit: "pixels",
      meaning: "distance between taps in the four convolutions between groups"),
    ConfigurationKey(
      "model.normalization", \.model.normalization,
      meaning: "of convolutions: none, of the weight, by the number of visible taps, or over channels at each location"),
    ConfigurationKey(
      "model.dropout", \.model.dropout, .range(0..<1), meaning: "probability that a block drops a channel"),
    ConfigurationKey("model.bias", \.model.bias, meaning: "whether convolutions and linear layers have a bias"),
    ConfigurationKey(
      "model.mask_weight", \.model.maskWeight, meaning: "whether convolutions have a learned weight on the mask"),
    ConfigurationKey(
      "model.distribution", \.model.distribution, meaning: "distribution of a pixel that the outputs describe"),
    ConfigurationKey(
      "model.mixtures", \.model.mixtures, .range(1...1_000), meaning: "components of logistic_mixture; binary has none"),
    ConfigurationKey(
      "model.rematerialize", \.model.rematerialize, isDefining: false,
      meaning:
        "whether a block's inner activations are computed anew in the backward: less memory, more time, same bits"),
  ]

  private static let orders = [
    ConfigurationKey("orders.base", \.orders.base, meaning: "the order that the variants are made of"),
    ConfigurationKey("orders.file", \.orders.file, .path, meaning: "file with an order to use in place of orders.base"),
    ConfigurationKey("orders.transpose", \.orders.transpose, meaning: "whether the base is transposed first"),
    ConfigurationKey(
      "orders.reflect_rows", \.orders.reflectRows, meaning: "whether the base's rows are then reflected"),
    ConfigurationKey(
      "orders.reflect_columns", \.orders.reflectColumns, meaning: "whether its columns are then reflected"),
    ConfigurationKey(
      "orders.train", \.orders.train, .orders,
      meaning: "orders drawn from in training; random draws a new permutation each time"),
    ConfigurationKey(
      "orders.test", \.orders.test, .orders, isDefining: false, meaning: "orders that the tested ensemble averages over"
    ),
    ConfigurationKey(
      "orders.per", \.orders.per, meaning: "what draws an order of its own: each microbatch, or each step"),
  ]

  private static let training = [
    ConfigurationKey(
      "training.steps", \.training.steps, .count, unit: "steps", meaning: "length; 0 when epochs gives it"),
    ConfigurationKey(
      "training.epochs", \.training.epochs, .count, unit: "epochs", meaning: "length; 0 when steps gives it"),
    ConfigurationKey(
      "training.microbatches", \.training.microbatches, .range(1...65_536),
      meaning: "microbatches of a step, over all ranks; how many ranks share them changes no result"),
    ConfigurationKey(
      "training.microbatch_size", \.training.microbatchSize, .range(1...65_536), unit: "images",
      meaning: "size of a microbatch"),
    ConfigurationKey(
      "training.learning_rate", \.training.learningRate, .above(0), meaning: "Adam's, before the schedule"),
    ConfigurationKey("training.beta1", \.training.beta1, .range(0..<1), meaning: "Adam's decay of the mean gradient"),
    ConfigurationKey(
      "training.beta2", \.training.beta2, .range(0..<1), meaning: "Adam's decay of the mean squared gradient"),
    ConfigurationKey(
      "training.epsilon", \.training.epsilon, .above(0), meaning: "Adam's term against division by zero"),
    ConfigurationKey(
      "training.weight_decay", \.training.weightDecay, .atLeast(0), meaning: "pull of the weights to zero"),
    ConfigurationKey("training.schedule", \.training.schedule, meaning: "how the learning rate falls"),
    ConfigurationKey(
      "training.decay", \.training.decay, .range(0.5...1), meaning: "factor of schedule decay after each epoch"),
    ConfigurationKey(
      "training.warmup_steps", \.training.warmupSteps, .count, unit: "steps",
      meaning: "steps in which the learning rate rises"),
    ConfigurationKey(
      "training.final_learning_rate_fraction", \.training.finalLearningRateFraction, .range(0...1),
      meaning: "what schedule cosine leaves of the learning rate at the last step"),
    ConfigurationKey(
      "training.clip_norm", \.training.clipNorm, .atLeast(0),
      meaning: "largest norm of the whole gradient, in the loss's unit and reduction; 0 does not clip"),
    ConfigurationKey(
      "training.ema_decay", \.training.emaDecay, .range(0..<1),
      meaning: "decay per step of the moving average of the weights; 0 keeps none"),
    ConfigurationKey("training.loss_unit", \.training.lossUnit, meaning: "nats of an image, or its bits per dimension"),
    ConfigurationKey("training.loss_reduction", \.training.lossReduction, meaning: "over the images of a step"),
  ]

  private static let guards = [
    ConfigurationKey(
      "guard.policy", \.guards.policy, isDefining: false,
      meaning:
        "stop ends the run, skip passes over the step, rollback goes back to the last checkpoint and tries again, "
        + "then passes over the step"),
    ConfigurationKey(
      "guard.max_loss", \.guards.maxLoss, .atLeast(0), unit: "bits per dimension", isDefining: false,
      meaning: "largest mean loss of a microbatch; 0 allows all that is finite"),
    ConfigurationKey(
      "guard.max_gradient_norm", \.guards.maxGradientNorm, .atLeast(0), isDefining: false,
      meaning: "largest norm of a step's gradient before clipping, in the loss's unit and reduction; 0 allows all that "
        + "is finite"),
    ConfigurationKey(
      "guard.max_skips", \.guards.maxSkips, .range(1...1_000_000), unit: "steps", isDefining: false,
      meaning: "steps that are passed over in a row before the run ends with an error"),
    ConfigurationKey(
      "guard.check_parameters_every", \.guards.checkParametersEvery, .count, unit: "steps", isDefining: false,
      meaning: "steps between checks that all ranks hold the same parameters; 0 never checks"),
  ]

  private static let checkpoint = [
    ConfigurationKey(
      "checkpoint.every_steps", \.checkpoint.everySteps, .count, unit: "steps", isDefining: false,
      meaning: "steps between checkpoints; 0 does not count steps"),
    ConfigurationKey(
      "checkpoint.every_seconds", \.checkpoint.everySeconds, .atLeast(0), unit: "seconds", isDefining: false,
      meaning: "time between checkpoints; 0 does not look at the clock"),
    ConfigurationKey(
      "checkpoint.keep_last", \.checkpoint.keepLast, .range(1...0xFFFF_FFFF), isDefining: false,
      meaning: "newest checkpoints that are kept, besides the one with the best evaluation"),
    ConfigurationKey(
      "checkpoint.keep_every", \.checkpoint.keepEvery, .count, unit: "steps", isDefining: false,
      meaning: "checkpoints at multiples of it are kept too; 0 keeps no others"),
    ConfigurationKey(
      "checkpoint.timeout_seconds", \.checkpoint.timeoutSeconds, .above(0), unit: "seconds", isDefining: false,
      meaning: "longest wait for a slow file system to take a checkpoint before the job ends with an error"),
  ]

  private static let evaluation = [
    ConfigurationKey(
      "evaluation.every_steps", \.evaluation.everySteps, .count, unit: "steps", isDefining: false,
      meaning: "steps between evaluations; 0 evaluates at the end only"),
    ConfigurationKey(
      "evaluation.images", \.evaluation.images, .count, unit: "images", isDefining: false,
      meaning: "test images, the first of the set; 0 takes all"),
    ConfigurationKey(
      "evaluation.batch_size", \.evaluation.batchSize, .range(1...65_536), unit: "images", isDefining: false,
      meaning: "images that a rank evaluates at once; changes memory, no result"),
    ConfigurationKey(
      "evaluation.use_ema", \.evaluation.useEMA, isDefining: false,
      meaning: "whether the moving average of the weights is evaluated"),
  ]

  private static let monitoring = [
    ConfigurationKey(
      "monitoring.tensorboard", \.monitoring.tensorboard, isDefining: false,
      meaning: "whether TensorBoard's event files are written to the run's folder tensorboard/"),
    ConfigurationKey(
      "monitoring.samples", \.monitoring.samples, .range(0...1_024), unit: "images", isDefining: false,
      meaning: "images generated after each evaluation; 0 generates none"),
    ConfigurationKey(
      "monitoring.completions", \.monitoring.completions, .range(0...1_024), unit: "images", isDefining: false,
      meaning: "test images whose lower half is completed after each evaluation; 0 completes none"),
    ConfigurationKey(
      "monitoring.histograms", \.monitoring.histograms, isDefining: false,
      meaning: "whether evaluations add histograms of all weights and gradients to the event files"),
  ]

  private static let run = [
    ConfigurationKey(
      "run.threads", \.run.threads, .range(0...1_024), isDefining: false,
      meaning: "threads of a rank; 0 divides the host's cores among its ranks"),
    ConfigurationKey("run.log_level", \.run.logLevel, isDefining: false, meaning: "least severe messages in the log"),
    ConfigurationKey(
      "run.log_every_steps", \.run.logEverySteps, .range(1...0xFFFF_FFFF), unit: "steps", isDefining: false,
      meaning: "steps between records of the metrics"),
    ConfigurationKey(
      "run.timeout_seconds", \.run.timeoutSeconds, .above(0), unit: "seconds", isDefining: false,
      meaning: "silence after which a rank counts as lost and the job ends with code 76; slow ranks are waited for"),
    ConfigurationKey(
      "run.progress", \.run.progress, isDefining: false,
      meaning:
        "how progress is shown on rank 0: one line, a live view (rich), plain lines as without a terminal, or not"),
  ]
}
