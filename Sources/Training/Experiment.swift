import Configuration
import Datasets
import Evaluation
import Model
import Orders

/// A configuration with the network, data and orders that it names: what training, evaluation and sampling start from.
public struct Experiment: Sendable {
  /// What it was made from.
  public let configuration: RunConfiguration
  /// The network.
  public let network: AutoregressiveNetwork
  /// Images to evaluate.
  public let test: ImageDataset
  /// The orders.
  public let orders: OrderSelection

  /// Loads the test images and makes the network of `configuration`.
  ///
  /// - Throws: when data or orders cannot be read or do not fit each other.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    test = try configuration.data.images(of: .test)
    let isBinary = configuration.model.distribution == .binary || configuration.data.binarize != .none
    guard test.channels == 1 || !isBinary else { throw ExperimentError.binaryColours(channels: test.channels) }
    network = AutoregressiveNetwork(configuration.modelConfiguration(channels: test.channels))
    try network.require(size: test.size)
    orders = try OrderSelection(configuration, size: test.size)
  }

  /// Loads the images to train on.
  ///
  /// - Throws: when they cannot be read, or are of another size than the test images.
  public func loadTrainingImages() throws -> ImageDataset {
    let train = try configuration.data.images(of: .train)
    try Self.requireSameKind(train: train, test: test)
    return train
  }

  /// The sizes that images are trained on in.
  ///
  /// - Throws: when they cannot be had from images of this size.
  public func trainingSizes() throws -> SizeSelection {
    let sizes = try SizeSelection(configuration, size: test.size, orders: orders)
    for size in sizes.sizes { try network.require(size: size) }
    return sizes
  }

  /// Requires that images to train and to test on have one size and as many channels.
  public static func requireSameKind(train: ImageDataset, test: ImageDataset) throws(ExperimentError) {
    guard train.size == test.size else { throw .differentSizes(train: train.size, test: test.size) }
    guard train.channels == test.channels else {
      throw .differentChannels(train: train.channels, test: test.channels)
    }
  }

  /// The number of test images to evaluate.
  public var testImages: Int {
    let limit = configuration.evaluation.images
    return limit == 0 ? test.count : min(limit, test.count)
  }
}

/// Why the parts of an experiment do not fit.
public enum ExperimentError: Error, Equatable, CustomStringConvertible {
  /// Training and test images differ in size.
  case differentSizes(train: ImageSize, test: ImageSize)
  /// Training and test images differ in channels.
  case differentChannels(train: Int, test: Int)
  /// Pixels of two values are asked for, and the images have colours.
  case binaryColours(channels: Int)

  /// What is wrong.
  public var description: String {
    switch self {
    case .differentSizes(let train, let test):
      return "training images are \(train), test images \(test); set 'data.size' to scale all to one size"
    case .differentChannels(let train, let test):
      return "training images have \(train) channels, test images \(test); set 'data.channels' to 1 or 3"
    case .binaryColours(let channels):
      return "'model.distribution' or 'data.binarize' asks for pixels of 2 values, but the images have \(channels) "
        + "channels; set 'data.channels' to 1, or 'model.distribution' to logistic_mixture and 'data.binarize' to none"
    }
  }
}
