import Datasets
import Foundation
import Kernels
import Model
import Orders
import Tensors

/// What was found in a microbatch that was computed again to find a fault.
public struct MicrobatchReport: Codable, Sendable, Equatable {
  /// A value that is infinite or not a number.
  public struct NotFinite: Codable, Sendable, Equatable {
    /// What kind of value.
    public enum Kind: String, Codable, Sendable {
      /// Of the parameters: the step before left it, or memory is faulty.
      case parameter
      /// What a layer computed in the forward pass.
      case output
      /// The loss of a pixel, whose logits are finite.
      case loss
      /// The gradient of a parameter, where all of the forward pass is finite.
      case gradient
    }

    /// What kind of value.
    public let kind: Kind
    /// The parameter or layer.
    public let layer: String
    /// Which image of the set, row, column and channel; nil where it is no value of an image.
    public let place: String?
    /// The value.
    public let value: Double

    /// Such as `output of u_init at image 17, row 3, column 4, channel 0: nan`.
    public var described: String {
      "\(kind == .loss ? "loss" : "\(kind) of \(layer)")\(place.map { " at \($0)" } ?? ""): \(value)"
    }
  }

  /// The microbatch's number in its step.
  public let slot: Int
  /// Name of its generation order.
  public let order: String
  /// Rows and columns of its images, such as `28x28`.
  public let size: String
  /// Its images' places in the training set.
  public let images: [Int]
  /// Rank that computed it, with its host.
  public let rank: Int
  /// The rank's host.
  public let host: String
  /// Mean negative log likelihood of its images, in nats.
  public let nats: Double
  /// The same in bits per dimension.
  public let bitsPerDimension: Double
  /// The image with the highest loss.
  public let worstImage: Int
  /// Its negative log likelihood, in nats.
  public let worstNats: Double
  /// Norm of the microbatch's share of the step's gradient.
  public let gradientNorm: Double
  /// The parameter with the largest gradient.
  public let steepest: String
  /// The first value that is not finite, in the order of the computation; nil if all are.
  public let firstNotFinite: NotFinite?

  enum CodingKeys: String, CodingKey {
    case slot, order, size, images, rank, host, nats, steepest
    case bitsPerDimension = "bits_per_dimension"
    case worstImage = "worst_image"
    case worstNats = "worst_nats"
    case gradientNorm = "gradient_norm"
    case firstNotFinite = "first_not_finite"
  }

  /// A line for people.
  public var described: String {
    "microbatch \(slot), order \(order), \(size), images \(images.map(String.init).joined(separator: " ")): \(nats) nats "
      + "(\(bitsPerDimension) bpd, image \(worstImage) \(worstNats)), gradient norm \(gradientNorm), most of it in "
      + steepest + (firstNotFinite.map { "; first not finite: \($0.described)" } ?? "")
  }
}

extension MicrobatchPass {
  /// Computes microbatch `slot` of step `step` once more and looks at all values on the way. `gradient` is overwritten.
  ///
  /// - Throws: when its images cannot be read, or are damaged.
  func examine(
    step: Int, slot: Int, parameters: FloatBuffer, gradient: FloatBuffer, bitsPerDimensionPerNat: Double, rank: Int,
    host: String
  ) throws(DatasetError) -> MicrobatchReport {
    prepare(parameters: parameters)
    let images = Array(images(step: step, slot: slot))
    let size = sizes.size(step: step, slot: slot)
    let pixels = size.pixels
    var found = notFiniteParameter(parameters)
    let total = try train(
      step: step, slot: slot, parameters: parameters, gradient: gradient,
      observe: { found = found ?? self.notFinite($0, images: images) },
      between: { found = found ?? notFiniteLoss(images: images, size) })
    found = found ?? notFiniteGradient(gradient)

    let losses = images.indices.map { nats.sum(in: ($0 * pixels)..<(($0 + 1) * pixels)) }
    let worst = losses.indices.first { !losses[$0].isFinite } ?? losses.indices.max { losses[$0] < losses[$1] } ?? 0
    let squares = network.layout.entries.map { VectorSum.squares(gradient, $0.range) }
    let steepest =
      squares.indices.last { !squares[$0].isFinite } ?? squares.indices.max { squares[$0] < squares[$1] } ?? 0
    return MicrobatchReport(
      slot: slot, order: sizes.trainingOrder(step: step, slot: slot).name, size: "\(size)", images: images, rank: rank,
      host: host, nats: total / Double(images.count),
      bitsPerDimension: total / Double(images.count) * bitsPerDimensionPerNat, worstImage: images[worst],
      worstNats: losses[worst], gradientNorm: squares.reduce(0, +).squareRoot(),
      steepest: network.layout.entries[steepest].name, firstNotFinite: found)
  }

  private func notFiniteParameter(_ parameters: FloatBuffer) -> MicrobatchReport.NotFinite? {
    for entry in network.layout.entries {
      guard let index = parameters.firstNotFinite(in: entry.range) else { continue }
      return .init(kind: .parameter, layer: entry.name, place: nil, value: Double(parameters[index]))
    }
    return nil
  }

  private func notFinite(_ output: LayerOutput, images: [Int]) -> MicrobatchReport.NotFinite? {
    guard let (row, column) = output.values.firstNotFinite else { return nil }
    return .init(
      kind: .output, layer: output.layer,
      place: "\(place(row: row, of: images, size: output.size)), channel \(column)",
      value: Double(output.values[row, column]))
  }

  private func notFiniteLoss(images: [Int], _ size: ImageSize) -> MicrobatchReport.NotFinite? {
    for row in 0..<(images.count * size.pixels) where !nats[row].isFinite {
      return .init(kind: .loss, layer: "loss", place: place(row: row, of: images, size: size), value: nats[row])
    }
    return nil
  }

  /// The backward goes from the last layer to the first.
  private func notFiniteGradient(_ gradient: FloatBuffer) -> MicrobatchReport.NotFinite? {
    for entry in network.layout.entries.reversed() {
      guard let index = gradient.firstNotFinite(in: entry.range) else { continue }
      return .init(kind: .gradient, layer: entry.name, place: nil, value: Double(gradient[index]))
    }
    return nil
  }

  private func place(row: Int, of images: [Int], size: ImageSize) -> String {
    let (image, pixel) = row.quotientAndRemainder(dividingBy: size.pixels)
    let (pixelRow, column) = pixel.quotientAndRemainder(dividingBy: size.columns)
    return "image \(images[image]), row \(pixelRow), column \(column)"
  }
}
