import Evaluation
import Foundation
import Tensors
import Testing

/// Scores of images, and how well they tell groups apart.
struct AnomalyScoresTests {
  @Test func measuresAreTheirDefinitions() {
    let bit = log(2.0)
    let scores = AnomalyScores(
      logLikelihoods: [-8 * bit, -4 * bit], dimensions: 4, typical: 1.5, codecBits: [10, 2],
      background: [-6 * bit, -5 * bit])
    #expect(scores.measures == [.bitsPerDimension, .typicality, .complexityCorrected, .likelihoodRatio])
    #expect(scores.nats == [8 * bit, 4 * bit])
    #expect(scores[.bitsPerDimension] == [2, 1])
    #expect(scores[.typicality] == [0.5, 0.5])
    #expect(scores[.complexityCorrected] == [-0.5, 0.5])
    for (found, expected) in zip(scores[.likelihoodRatio], [0.5, -0.25]) { #expect(abs(found - expected) < 1e-15) }
  }

  @Test func withoutABackgroundThereIsNoRatio() {
    let scores = AnomalyScores(logLikelihoods: [-1], dimensions: 4, typical: 0, codecBits: [0])
    #expect(scores.measures == [.bitsPerDimension, .typicality, .complexityCorrected])
    #expect(scores[.likelihoodRatio].isEmpty)
  }

  // MARK: Area under the ROC curve

  @Test func endsAndTiesOfTheArea() {
    #expect(AreaUnderROC(anomalous: [2, 3], normal: [0, 1]).value == 1)
    #expect(AreaUnderROC(anomalous: [0, 1], normal: [2, 3]).value == 0)
    #expect(AreaUnderROC(anomalous: [1, 1, 1], normal: [1, 1]).value == 0.5)
    #expect(AreaUnderROC(anomalous: [1, 2], normal: [1, 0]).value == 0.875)
    #expect(AreaUnderROC(anomalous: [.infinity], normal: [0]).value == 1)
    #expect(AreaUnderROC(anomalous: [2, 3], normal: [0, 1]).standardError == 0)
    #expect(AreaUnderROC(anomalous: [2], normal: [0, 1]).standardError == nil)
  }

  /// The area is the count over all pairs, its error the sums of DeLong et al., both by their definitions.
  @Test func areaAndErrorAreTheirDefinitions() throws {
    var generator = KeyedGenerator(seed: 3, purpose: .sampling)
    for _ in 0..<40 {
      let anomalous = (0..<(2 + generator.integer(below: 30))).map { _ in Double(generator.integer(below: 12)) }
      let normal = (0..<(2 + generator.integer(below: 30))).map { _ in Double(generator.integer(below: 9)) }
      func wins(_ a: Double, _ n: Double) -> Double { a > n ? 1 : a == n ? 0.5 : 0 }
      let byAnomalous = anomalous.map { a in normal.map { wins(a, $0) }.reduce(0, +) / Double(normal.count) }
      let byNormal = normal.map { n in anomalous.map { wins($0, n) }.reduce(0, +) / Double(anomalous.count) }
      let area = AreaUnderROC(anomalous: anomalous, normal: normal)
      let expected = byAnomalous.reduce(0, +) / Double(anomalous.count)
      #expect(abs(area.value - expected) < 1e-14)
      func share(_ values: [Double]) -> Double {
        values.reduce(0) { $0 + ($1 - expected) * ($1 - expected) } / Double(values.count - 1) / Double(values.count)
      }
      let error = try #require(area.standardError)
      #expect(abs(error * error - share(byAnomalous) - share(byNormal)) < 1e-12)
      #expect(abs(AreaUnderROC(anomalous: normal, normal: anomalous).value + area.value - 1) < 1e-15)
    }
  }

  /// The standard error says how much the area varies from draw to draw.
  @Test func theErrorIsTheSpreadOfTheArea() throws {
    var generator = KeyedGenerator(seed: 4, purpose: .sampling)
    func draw(_ count: Int, _ shift: Float) -> [Double] {
      (0..<count).map { _ in Double(shift + generator.uniform() + generator.uniform()) }
    }
    let areas = (0..<400).map { _ in AreaUnderROC(anomalous: draw(60, 0.3), normal: draw(40, 0)) }
    let mean = areas.map(\.value).reduce(0, +) / 400
    let spread = (areas.map { ($0.value - mean) * ($0.value - mean) }.reduce(0, +) / 399).squareRoot()
    let error = try areas.map { try #require($0.standardError) }.reduce(0, +) / 400
    #expect(abs(error / spread - 1) < 0.12, "\(error) against \(spread)")
  }
}
