import Foundation

/// How unlike the images that a model was trained on some images are, by several measures, all in bits per dimension. Of
/// each, a higher value says more anomalous. What they are worth: docs/scores.md.
public struct AnomalyScores: Sendable, Equatable {
  /// One measure. The raw value names it in files.
  public enum Measure: String, Sendable, CaseIterable {
    /// The negative log likelihood.
    case bitsPerDimension = "bpd"
    /// The distance of the negative log likelihood from its mean over training images, on either side: the typicality
    /// test of Nalisnick et al. (2019, arXiv 1906.02994, equation 5) for batches of one image.
    case typicality
    /// The negative log likelihood less the size that a general lossless codec needs (Serrà et al. 2020, arXiv
    /// 1909.11480, equation 1): images that any model finds simple do not profit from it.
    case complexityCorrected = "complexity_corrected"
    /// The negative log likelihood less that under a background model (Ren et al. 2019, arXiv 1906.02845, equation 3,
    /// with its sign turned): what both know, such as the share of black pixels, cancels.
    case likelihoodRatio = "likelihood_ratio"
  }

  /// Negative log likelihood of each image, in nats.
  public let nats: [Double]
  /// Bits of each image in the general codec.
  public let codecBits: [Int]
  /// The measures that there are, in the order of `Measure`.
  public let measures: [Measure]
  private let values: [Measure: [Double]]

  /// The scores of images with these log likelihoods, in nats, and `dimensions` values each.
  ///
  /// `typical` is the mean bits per dimension of training images, `background` the log likelihoods under the background
  /// model, if there is one.
  public init(
    logLikelihoods: [Double], dimensions: Int, typical: Double, codecBits: [Int], background: [Double]? = nil
  ) {
    precondition(
      codecBits.count == logLikelihoods.count && (background ?? logLikelihoods).count == logLikelihoods.count,
      "AnomalyScores: \(logLikelihoods.count) likelihoods, \(codecBits.count) sizes")
    let bit = 1 / (Double(dimensions) * log(2))
    let bitsPerDimension = logLikelihoods.map { -$0 * bit }
    nats = logLikelihoods.map { -$0 }
    self.codecBits = codecBits
    var values: [Measure: [Double]] = [
      .bitsPerDimension: bitsPerDimension,
      .typicality: bitsPerDimension.map { abs($0 - typical) },
      .complexityCorrected: zip(bitsPerDimension, codecBits).map { $0 - Double($1) / Double(dimensions) },
    ]
    values[.likelihoodRatio] = background.map { zip(logLikelihoods, $0).map { ($1 - $0) * bit } }
    self.values = values
    measures = Measure.allCases.filter { values.keys.contains($0) }
  }

  /// The values of `measure`, which is one of `measures`, by image.
  public subscript(measure: Measure) -> [Double] { values[measure, default: []] }
}
