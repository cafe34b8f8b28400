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
  public let network: LocallyMaskedPixelCNN
  /// Images to evaluate.
  public let test: ImageDataset
  /// The orders.
  public let orders: OrderSelection

  /// Loads the test images and makes the network of `configuration`.
  ///
  /// - Throws: when data or orders cannot be read or do not fit each other.
  public init(_ configuration: RunConfiguration) throws {
    self.configuration = configuration
    test = try Self.load(.test, configuration)
    network = LocallyMaskedPixelCNN(configuration.modelConfiguration(channels: test.channels))
    orders = try OrderSelection(configuration, size: test.size)
  }

  /// Loads the images to train on.
  ///
  /// - Throws: when they cannot be read, or are of another size than the test images.
  public func loadTrainingImages() throws -> ImageDataset {
    let train = try Self.load(.train, configuration)
    guard train.size == test.size && train.channels == test.channels else {
      throw ExperimentError.differentSizes(train: train.size, test: test.size)
    }
    return train
  }

  /// The number of test images to evaluate.
  public var testImages: Int {
    let limit = configuration.evaluation.images
    return limit == 0 ? test.count : min(limit, test.count)
  }

  private static func load(_ split: Split, _ configuration: RunConfiguration) throws -> ImageDataset {
    let data = configuration.data
    return try ImageDataset.load(
      set: data.set, folder: data.folder, split: split, bits: data.binarize == .none ? data.bits : 1,
      binarization: data.binarize)
  }
}

/// Why the parts of an experiment do not fit.
public enum ExperimentError: Error, Equatable, CustomStringConvertible {
  /// Training and test images differ in size.
  case differentSizes(train: ImageSize, test: ImageSize)

  /// What is wrong.
  public var description: String {
    switch self {
    case .differentSizes(let train, let test): return "training images are \(train), test images \(test)"
    }
  }
}
