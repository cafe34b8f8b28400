import Model
import Orders

extension ConfigurationRule {
  /// What PixelCNN++ has no choice in: a key that says otherwise is refused, and none is passed over.
  static let pixelCNNPlusPlus = [
    fixed("model.kernel", \.model.kernel, 3, "whose windows are 2x3 and 2x2"),
    fixed("model.dilation", \.model.dilation, 1, "which halves the images between groups and dilates nothing"),
    fixed("model.normalization", \.model.normalization, .weightNorm, "whose convolutions are all weight-normalized"),
    fixed("model.bias", \.model.bias, true, "whose convolutions all have a bias"),
    fixed("model.mask_weight", \.model.maskWeight, false, "which has no masks"),
    orders("orders.train") { configuration in
      guard case .list(let choices) = configuration.orders.train else { return nil }
      return choices
    },
    orders("orders.test") { $0.orders.test },
    ConfigurationRule(keys: ["data.size", "model.architecture"]) { configuration in
      guard let size = configuration.data.size, configuration.model.architecture == .pixelCNNPlusPlus, size % 4 != 0
      else { return nil }
      return "'data.size' is \(size), but 'model.architecture' is pixelcnn_pp, which halves the images twice; "
        + "set 'data.size' to a multiple of 4"
    },
  ]

  private static func fixed<Value: ConfigurationValue & Equatable & Sendable>(
    _ key: String, _ property: KeyPath<RunConfiguration, Value> & Sendable, _ expected: Value, _ reason: String
  ) -> ConfigurationRule {
    ConfigurationRule(keys: [key, "model.architecture"]) { configuration in
      let value = configuration[keyPath: property]
      guard configuration.model.architecture == .pixelCNNPlusPlus && value != expected else { return nil }
      return "'\(key)' is \(value.yaml), but 'model.architecture' is pixelcnn_pp, \(reason); "
        + "set '\(key)' to \(expected.yaml)"
    }
  }

  /// All orders of `key` must be the raster scan; nil stands for those that are drawn at random.
  private static func orders(
    _ key: String, _ choices: @escaping @Sendable (RunConfiguration) -> [OrderChoice]?
  ) -> ConfigurationRule {
    ConfigurationRule(keys: [key, "orders.base", "model.architecture"]) { configuration in
      guard configuration.model.architecture == .pixelCNNPlusPlus else { return nil }
      if let choices = choices(configuration), choices.allSatisfy(configuration.orders.isRasterScan) { return nil }
      return "'\(key)' has other orders than the raster scan, the only one of 'model.architecture' pixelcnn_pp; "
        + "set '\(key)' to [raster_scan]"
    }
  }
}

extension RunConfiguration.OrderOptions {
  /// Whether `choice` is the raster scan itself.
  fileprivate func isRasterScan(_ choice: OrderChoice) -> Bool {
    switch choice {
    case .base(let base, let variant): base == .rasterScan && variant == .identity
    case .variant(let variant):
      variant == .identity && base == .rasterScan && file == nil && !transpose && !reflectRows && !reflectColumns
    case .random, .randoms, .file: false
    }
  }
}
