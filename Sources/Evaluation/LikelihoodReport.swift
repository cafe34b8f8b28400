import Foundation
import Orders

/// Log likelihoods of images under one or several orders, in nats, and what is computed from them.
public struct LikelihoodReport: Sendable, Equatable {
  /// Names of the orders.
  public let orders: [String]
  /// Numbers of the images in their data set.
  public let images: [Int]
  /// log p(image) under each order, `[images * orders]`, image by image.
  public let logLikelihoods: [Double]
  /// Dimensions of an image (or of the region evaluated): pixels * channels.
  public let dimensions: Int

  /// A report of `images.count * orders.count` likelihoods.
  public init(orders: [String], images: [Int], logLikelihoods: [Double], dimensions: Int) {
    precondition(
      logLikelihoods.count == images.count * orders.count, "LikelihoodReport: \(logLikelihoods.count) values")
    self.orders = orders
    self.images = images
    self.logLikelihoods = logLikelihoods
    self.dimensions = dimensions
  }

  /// A mean over images with its standard error.
  public struct Estimate: Sendable, Equatable {
    /// Mean negative log likelihood of an image, in nats.
    public let nats: Double
    /// Standard error of `nats`: the images' standard deviation over the square root of their number.
    public let standardError: Double
    /// `nats` in bits per dimension: nats / (dimensions * ln 2).
    public let bitsPerDimension: Double
    /// `standardError` in bits per dimension.
    public let bitsPerDimensionError: Double
  }

  /// log p(image) under order `order`, for all images.
  public func logLikelihoods(order: Int) -> [Double] {
    images.indices.map { logLikelihoods[$0 * orders.count + order] }
  }

  /// log of the mean of the orders' likelihoods: logsumexp_s log p_s(x) - log S (paper, section 4.3), for all images.
  public var ensemble: [Double] {
    images.indices.map { image in
      Self.logMeanExp(logLikelihoods[(image * orders.count)..<((image + 1) * orders.count)])
    }
  }

  /// The mean under order `order`.
  public func estimate(order: Int) -> Estimate { estimate(logLikelihoods(order: order)) }

  /// The mean under the ensemble of all orders.
  public var ensembleEstimate: Estimate { estimate(ensemble) }

  /// The mean of the single orders' means: what one order drawn at random achieves.
  public var meanOrderEstimate: Estimate {
    estimate(
      images.indices.map { image in
        var sum = 0.0
        for value in logLikelihoods[(image * orders.count)..<((image + 1) * orders.count)] { sum += value }
        return sum / Double(orders.count)
      })
  }

  /// log((exp v_1 + ... + exp v_n) / n), without overflow.
  static func logMeanExp(_ values: ArraySlice<Double>) -> Double {
    let largest = values.max() ?? -.infinity
    guard largest.isFinite else { return largest }
    var sum = 0.0
    for value in values { sum += exp(value - largest) }
    return largest + log(sum / Double(values.count))
  }

  private func estimate(_ values: [Double]) -> Estimate {
    let count = Double(values.count)
    var sum = 0.0
    for value in values { sum -= value }
    let mean = sum / count
    var squares = 0.0
    for value in values { squares += (-value - mean) * (-value - mean) }
    // One image has no spread to estimate an error from.
    let error = values.count > 1 ? (squares / (count - 1) / count).squareRoot() : 0
    let bits = 1 / (Double(dimensions) * log(2))
    return Estimate(
      nats: mean, standardError: error, bitsPerDimension: mean * bits, bitsPerDimensionError: error * bits)
  }
}
