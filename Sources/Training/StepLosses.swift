import Foundation
import Orders

/// The negative log likelihoods of a step's microbatches: the same on all ranks.
package struct StepLosses {
  /// Sums over the images of each microbatch, in nats.
  package let nats: [Double]
  /// Size of each microbatch's images.
  private let sizes: [ImageSize]
  private let channels: Int
  private let imagesPerSlot: Int

  /// The losses `nats`, by microbatch, of `imagesPerSlot` images each, of `sizes` and `channels`.
  package init(nats: [Double], sizes: [ImageSize], channels: Int, imagesPerSlot: Int) {
    precondition(nats.count == sizes.count && !nats.isEmpty, "StepLosses: \(nats.count) losses, \(sizes.count) sizes")
    self.nats = nats
    self.sizes = sizes
    self.channels = channels
    self.imagesPerSlot = imagesPerSlot
  }

  /// 1 / (dimensions * ln 2).
  static func bitsPerDimensionPerNat(dimensions: Double) -> Double { 1 / (dimensions * log(2)) }

  /// Mean over all images, in nats.
  package var meanNats: Double {
    var total = 0.0
    for value in nats { total += value }
    return total / Double(nats.count * imagesPerSlot)
  }

  /// The bits of all images over the dimensions of all: where sizes differ, each pixel counts as much as any other.
  package var bitsPerDimension: Double {
    let dimensions = sizes.reduce(0) { $0 + $1.pixels * channels }
    return meanNats * Self.bitsPerDimensionPerNat(dimensions: Double(dimensions) / Double(sizes.count))
  }

  /// The mean of each microbatch, in bits per dimension.
  package var bitsPerDimensionOfMicrobatches: [Double] {
    nats.indices.map { nats[$0] * (bitsPerDimensionPerNat(slot: $0) / Double(imagesPerSlot)) }
  }

  /// What a nat of an image of microbatch `slot` is in bits per dimension.
  func bitsPerDimensionPerNat(slot: Int) -> Double {
    Self.bitsPerDimensionPerNat(dimensions: Double(sizes[slot].pixels * channels))
  }

  /// The losses of each size that microbatches took, smallest first.
  package var bySize: [SizeLoss] {
    let losses = bitsPerDimensionOfMicrobatches
    return Set(sizes).sorted { $0.pixels < $1.pixels }.map { size in
      let own = sizes.indices.filter { sizes[$0] == size }
      return SizeLoss(
        size: "\(size)", microbatches: own.count,
        bitsPerDimension: own.reduce(0) { $0 + losses[$1] } / Double(own.count))
    }
  }
}

/// What is recorded of the microbatches of a step whose images are of one size.
public struct SizeLoss: Codable, Sendable, Equatable {
  /// Rows and columns, such as `16x16`.
  public let size: String
  /// How many microbatches took it.
  public let microbatches: Int
  /// Mean negative log likelihood of their images, in bits per dimension.
  public let bitsPerDimension: Double

  enum CodingKeys: String, CodingKey {
    case size, microbatches
    case bitsPerDimension = "bits_per_dimension"
  }
}
