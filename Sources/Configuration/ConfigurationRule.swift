/// Values that are each allowed but do not go together.
package struct ConfigurationRule: Sendable {
  /// The keys it is about, the one to blame first; the first that was given is where the fault is reported.
  package let keys: [String]
  /// Why the combination is impossible and what to change; nil when it is possible.
  let reason: @Sendable (RunConfiguration) -> String?

  package static let all = combinations + pixelCNNPlusPlus

  private static let combinations = [
    ConfigurationRule(keys: ["data.folder", "data.set"]) { configuration in
      guard configuration.data.folder == nil && configuration.data.set != .digits else { return nil }
      return "'data.set' is \(configuration.data.set.yaml), which does not come with the program; "
        + "set 'data.folder' to the folder of its files"
    },
    ConfigurationRule(keys: ["data.size", "data.set"]) { configuration in
      let data = configuration.data
      guard let size = data.size, !data.set.isOfPictures else { return nil }
      return "'data.size' is \(size), but images of \(data.set.yaml) have a size of their own; set 'data.size' to null"
    },
    ConfigurationRule(keys: ["data.channels", "data.set"]) { configuration in
      let data = configuration.data
      guard let channels = data.channels, !data.set.isOfPictures else { return nil }
      return "'data.channels' is \(channels), but images of \(data.set.yaml) have channels of their own; "
        + "set 'data.channels' to null"
    },
    ConfigurationRule(keys: ["data.skip_bad", "data.set"]) { configuration in
      let data = configuration.data
      guard data.skipBad && !data.set.isOfPictures else { return nil }
      return "'data.skip_bad' is true, but images of \(data.set.yaml) are not in files of their own; "
        + "set 'data.skip_bad' to false"
    },
    ConfigurationRule(keys: ["data.binarize", "data.set", "data.channels"]) { configuration in
      let data = configuration.data
      guard data.binarize != .none, let channels = data.knownChannels, channels > 1 else { return nil }
      return "'data.binarize' is \(data.binarize.yaml), but images of \(data.set.yaml) have \(channels) channels; "
        + "set 'data.binarize' to none"
    },
    ConfigurationRule(keys: ["data.bits", "data.binarize"]) { configuration in
      let data = configuration.data
      guard data.binarize != .none && data.bits != 8 else { return nil }
      return "'data.bits' is \(data.bits), but 'data.binarize' is \(data.binarize.yaml), which starts from all 8; "
        + "set 'data.bits' to 8, or 'data.binarize' to none"
    },
    ConfigurationRule(keys: ["data.resize_probabilities", "data.resize"]) { configuration in
      let data = configuration.data
      guard !data.resizeProbabilities.isEmpty && data.resizeProbabilities.count != data.resize.count else { return nil }
      return "'data.resize_probabilities' is \(data.resizeProbabilities.yaml), but 'data.resize' is "
        + "\(data.resize.yaml); give each size its probability, or set 'data.resize_probabilities' to []"
    },
    ConfigurationRule(keys: ["data.resize", "orders.train", "orders.file"]) { configuration in
      guard !configuration.data.resize.isEmpty, let file = configuration.orders.trainedFile else { return nil }
      return "'data.resize' is \(configuration.data.resize.yaml), but the order of \(file) is of one size; "
        + "set 'data.resize' to [], or train with orders that are computed"
    },
    ConfigurationRule(keys: ["model.filters", "model.normalization"]) { configuration in
      let model = configuration.model
      guard model.normalization == .pono && model.filters == 1 else { return nil }
      return
        "'model.filters' is 1, but 'model.normalization' is pono, which divides by the deviation over the "
        + "filters; set 'model.filters' to 2 or more, or 'model.normalization' to none"
    },
    ConfigurationRule(keys: ["model.distribution", "data.set", "data.channels"]) { configuration in
      let data = configuration.data
      guard configuration.model.distribution == .binary, let channels = data.knownChannels, channels > 1 else {
        return nil
      }
      return "'model.distribution' is binary, but images of \(data.set.yaml) have \(channels) channels; "
        + "set it to logistic_mixture"
    },
    ConfigurationRule(keys: ["model.distribution", "data.binarize", "data.bits"]) { configuration in
      let data = configuration.data
      guard configuration.model.distribution == .binary && data.binarize == .none && data.bits > 1 else { return nil }
      return "'model.distribution' is binary, but pixels have \(1 << data.bits) levels; "
        + "set 'data.binarize' to threshold or stochastic, or 'data.bits' to 1"
    },
    ConfigurationRule(keys: ["model.distribution", "data.binarize"]) { configuration in
      let binarize = configuration.data.binarize
      guard configuration.model.distribution == .logisticMixture && binarize != .none else { return nil }
      return
        "'model.distribution' is logistic_mixture, but 'data.binarize' is \(binarize.yaml), which leaves 2 levels; "
        + "set 'model.distribution' to binary, or 'data.binarize' to none"
    },
    ConfigurationRule(keys: ["training.steps", "training.epochs"]) { configuration in
      let training = configuration.training
      switch (training.steps, training.epochs) {
      case (0, 0): return "'training.steps' and 'training.epochs' are both 0; set one of them"
      case (let steps, let epochs) where steps > 0 && epochs > 0:
        return "'training.steps' is \(steps) and 'training.epochs' is \(epochs), but only one can give the length; "
          + "set the other to 0"
      default: return nil
      }
    },
    ConfigurationRule(keys: ["training.warmup_steps", "training.steps"]) { configuration in
      let training = configuration.training
      guard training.steps > 0 && training.warmupSteps > training.steps else { return nil }
      return "'training.warmup_steps' is \(training.warmupSteps), more than the run's \(training.steps) steps"
    },
    ConfigurationRule(keys: ["evaluation.use_ema", "training.ema_decay"]) { configuration in
      guard configuration.evaluation.useEMA && configuration.training.emaDecay == 0 else { return nil }
      return "'evaluation.use_ema' is true, but 'training.ema_decay' is 0, so there is no average; "
        + "set 'evaluation.use_ema' to false, or 'training.ema_decay' above 0"
    },
  ]
}
