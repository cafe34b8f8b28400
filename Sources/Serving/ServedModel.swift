import Datasets
import Evaluation
import Foundation
import Imaging
import Model
import Orders
import Tensors
import Training

/// A model to complete images with, and what requests may choose from.
public struct ServedModel: Sendable {
  let name: String
  let step: Int?
  let experiment: Experiment
  let parameters: FloatBuffer
  /// Orders that the page offers, the default first.
  let orders: [NamedOrder]
  private let trained: Set<String>

  /// The model `name` with `parameters` of its `step`; `order` is the order that requests get that name none.
  ///
  /// - Throws: when an order of the configuration cannot be had.
  public init(
    name: String, step: Int?, experiment: Experiment, parameters: FloatBuffer, order: NamedOrder
  ) throws {
    self.name = name
    self.step = step
    self.experiment = experiment
    self.parameters = parameters
    trained = Set(experiment.orders.train.map(\.name))
    let size = experiment.test.size
    let bases = BaseOrder.allCases.filter { $0.exists(on: size) }.map { OrderChoice.base($0, .identity) }
    let others = try OrderSelection.orders(
      bases + [.random(index: 0, seed: 0)], experiment.configuration.orders, size: size)
    var offered: [NamedOrder] = []
    for order in [order] + experiment.orders.test + others where !offered.contains(where: { $0.name == order.name }) {
      offered.append(order)
    }
    orders = offered
  }

  /// Rows and columns of the images.
  var size: ImageSize { experiment.test.size }
  /// Channels of a pixel.
  var channels: Int { experiment.test.channels }
  /// Bits of a channel.
  var bits: Int { experiment.test.bits }

  /// The order called `name`: one of those offered, or any that is computed. Requests cannot name files.
  ///
  /// - Throws: when there is none, or not of this size.
  func order(named name: String) throws(Refusal) -> NamedOrder {
    if let offered = orders.first(where: { $0.name == name }) { return offered }
    guard let choice = OrderChoice(name) else { throw .unknownOrder(name) }
    switch choice {
    case .variant, .base, .random:
      do { return try OrderSelection.orders([choice], experiment.configuration.orders, size: size)[0] } catch {
        throw .unusableOrder(reason: "\(error)")
      }
    case .randoms, .file: throw .unknownOrder(name)
    }
  }

  /// Test image `index` as the model sees it, `[pixels, channels]`.
  ///
  /// - Throws: when there is none, or its file is damaged.
  func example(_ index: Int) throws -> [UInt8] {
    let test = experiment.test
    guard (0..<test.count).contains(index) else { throw Refusal.noExample(index, available: test.count) }
    var levels = [UInt8](repeating: 0, count: test.valuesPerImage)
    try test.fill(levels: &levels, images: [index], key: .evaluation(seed: experiment.configuration.seed))
    return levels
  }

  /// The picture of `levels` `[pixels, channels]`.
  func picture(_ levels: [UInt8]) -> PNGImage {
    PNGImage(size: size, channels: channels, levels: levels, bitDepth: bits)
  }

  /// What the page is told of the model.
  struct Description: Encodable {
    struct Order: Encodable {
      let name: String
      let isTrained: Bool

      enum CodingKeys: String, CodingKey {
        case name
        case isTrained = "trained"
      }
    }

    struct Limits: Encodable {
      let uploadBytes: Int
      let seconds: Double
      let jobs: Int
      let samples: Int

      enum CodingKeys: String, CodingKey {
        case seconds, jobs, samples
        case uploadBytes = "upload_bytes"
      }
    }

    let model: String
    let step: Int?
    let dataset: String
    let rows: Int
    let columns: Int
    let channels: Int
    let levels: Int
    let examples: Int
    let orders: [Order]
    let limits: Limits
  }

  /// The description of this model on a server with `limits`.
  func description(_ limits: ServingLimits) -> Description {
    Description(
      model: name, step: step, dataset: experiment.test.name, rows: size.rows, columns: size.columns,
      channels: channels, levels: 1 << bits, examples: experiment.test.count,
      orders: orders.map { order in
        // Fresh permutations make every order one that is like those of the training.
        .init(name: order.name, isTrained: trained.isEmpty || trained.contains(order.name))
      },
      limits: .init(
        uploadBytes: limits.uploadBytes, seconds: limits.completionSeconds, jobs: limits.jobs,
        samples: limits.samples))
  }
}
