import Evaluation

/// A likelihood report as numbers for people and machines.
public struct LikelihoodSummary: Codable, Sendable {
  /// One mean with its standard error.
  public struct Entry: Codable, Sendable {
    /// Name of the order, or `ensemble`.
    public let order: String
    /// Mean negative log likelihood of an image, in nats.
    public let nats: Double
    /// Its standard error.
    public let natsStandardError: Double
    /// The mean in bits per dimension.
    public let bitsPerDimension: Double
    /// Its standard error.
    public let bitsPerDimensionStandardError: Double

    /// Its numbers, by the names in `metrics.jsonl`.
    var numbers: [(name: String, value: Double)] {
      let numbers: [(CodingKeys, Double)] = [
        (.nats, nats), (.natsStandardError, natsStandardError), (.bitsPerDimension, bitsPerDimension),
        (.bitsPerDimensionStandardError, bitsPerDimensionStandardError),
      ]
      return numbers.map { ($0.rawValue, $1) }
    }

    enum CodingKeys: String, CodingKey {
      case order, nats
      case natsStandardError = "nats_standard_error"
      case bitsPerDimension = "bits_per_dimension"
      case bitsPerDimensionStandardError = "bits_per_dimension_standard_error"
    }

    /// Such as `98.12 +- 0.74 nats, 0.1806 +- 0.0014 bpd`.
    public var described: String {
      "\(TrainingProgress.number(nats, 2)) +- \(TrainingProgress.number(natsStandardError, 2)) nats, "
        + "\(TrainingProgress.number(bitsPerDimension, 4)) +- "
        + "\(TrainingProgress.number(bitsPerDimensionStandardError, 4)) bpd"
    }

    init(_ order: String, _ estimate: LikelihoodReport.Estimate) {
      self.order = order
      nats = estimate.nats
      natsStandardError = estimate.standardError
      bitsPerDimension = estimate.bitsPerDimension
      bitsPerDimensionStandardError = estimate.bitsPerDimensionError
    }
  }

  /// Images evaluated.
  public let images: Int
  /// Images of the set.
  public let imagesInSet: Int
  /// Each order by itself.
  public let orders: [Entry]
  /// Mean over the orders by themselves.
  public let meanOfOrders: Entry
  /// The ensemble of all orders.
  public let ensemble: Entry

  enum CodingKeys: String, CodingKey {
    case images, orders, ensemble
    case imagesInSet = "images_in_set"
    case meanOfOrders = "mean_of_orders"
  }

  /// The summary of `report` on a set of `imagesInSet` images.
  public init(_ report: LikelihoodReport, imagesInSet: Int) {
    images = report.images.count
    self.imagesInSet = imagesInSet
    orders = report.orders.indices.map { Entry(report.orders[$0], report.estimate(order: $0)) }
    meanOfOrders = Entry("mean of \(report.orders.count) orders", report.meanOrderEstimate)
    ensemble = Entry("ensemble of \(report.orders.count) orders", report.ensembleEstimate)
  }
}
