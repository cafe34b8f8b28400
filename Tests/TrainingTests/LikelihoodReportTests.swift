import Evaluation
import Foundation
import Tensors
import Testing
import Training

struct LikelihoodReportTests {
  /// log p of each image under each order.
  private func report(_ values: [[Double]], dimensions: Int = 4) -> LikelihoodReport {
    LikelihoodReport(
      orders: (0..<(values.first?.count ?? 0)).map { "order \($0)" }, images: Array(values.indices),
      logLikelihoods: values.flatMap { $0 }, dimensions: dimensions)
  }

  @Test func aMeanHasTheStandardErrorOfItsImages() {
    let estimate = report([[-1], [-2], [-6]]).estimate(order: 0)
    #expect(estimate.nats == 3)
    // Variance (4 + 1 + 9) / 2 = 7, divided by 3 images.
    #expect(abs(estimate.standardError - (7.0 / 3).squareRoot()) < 1e-15)
    #expect(abs(estimate.bitsPerDimension - 3 / (4 * 0.6931471805599453)) < 1e-15)
    #expect(abs(estimate.bitsPerDimensionError - (7.0 / 3).squareRoot() / (4 * 0.6931471805599453)) < 1e-15)
  }

  @Test func oneImageHasNoStandardError() {
    let estimate = report([[-5]]).estimate(order: 0)
    #expect(estimate.nats == 5 && estimate.standardError == 0)
  }

  @Test func ordersAreKeptApart() {
    let report = report([[-1, -10], [-3, -30]])
    #expect(report.logLikelihoods(order: 0) == [-1, -3])
    #expect(report.logLikelihoods(order: 1) == [-10, -30])
    #expect(report.estimate(order: 1).nats == 20)
    #expect(report.meanOrderEstimate.nats == 11)
  }

  @Test func theEnsembleAveragesProbabilities() {
    // Probabilities 1/2 and 1/8 have the mean 5/16.
    #expect(abs(report([[log(0.5), log(0.125)]]).ensemble[0] - log(0.3125)) < 1e-15)
    // An ensemble of equals is each of them.
    #expect(report([[-7.5, -7.5, -7.5, -7.5]]).ensemble == [-7.5])
    #expect(report([[-7.25]]).ensemble == [-7.25])
  }

  @Test func smallProbabilitiesDoNotVanish() {
    // exp(-20000) is no number of this machine; its logarithm is.
    let ensemble = report([[-20_000, -20_000 + log(3)]]).ensemble[0]
    #expect(abs(ensemble - (-20_000 + log(2))) < 1e-11)
    // An order that excludes an image leaves the others' half; if all do, the image is impossible.
    #expect(abs(report([[-.infinity, -4]]).ensemble[0] - (-4 - log(2))) < 1e-15)
    #expect(report([[-.infinity, -.infinity]]).ensemble == [-.infinity])
  }

  @Test func theEnsembleIsNoWorseThanTheMeanOfItsOrders() {
    var generator = KeyedGenerator(seed: 3, purpose: .sampling)
    for trial in 0..<100 {
      let orders = 1 + generator.integer(below: 8)
      let values = (0..<5).map { _ in (0..<orders).map { _ in -300 * generator.uniformDouble() } }
      let report = report(values)
      let (mean, ensemble) = (report.meanOrderEstimate.nats, report.ensembleEstimate.nats)
      #expect(ensemble <= mean + 1e-10, "trial \(trial)")
      // Nor is it better than the best order of each image, or worse than that by more than log S.
      let best = values.reduce(0) { $0 - ($1.max() ?? 0) } / 5
      #expect(ensemble >= best - 1e-10 && ensemble <= best + log(Double(orders)) + 1e-10, "trial \(trial)")
    }
  }

  @Test func aSummaryNamesWhatItAverages() throws {
    let summary = LikelihoodSummary(report([[-1, -1], [-3, -3]]), imagesInSet: 9)
    #expect(summary.orders.map(\.order) == ["order 0", "order 1"])
    #expect(summary.meanOfOrders.order == "mean of 2 orders")
    #expect(summary.ensemble.described == "2.00 +- 1.00 nats, 0.7213 +- 0.3607 bpd")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    let json = String(decoding: try encoder.encode(summary), as: UTF8.self)
    #expect(json.hasPrefix("{\"ensemble\":{\"bits_per_dimension\":0.72134752"), "\(json)")
    #expect(json.contains("\"images\":2,\"images_in_set\":9,\"mean_of_orders\":{"), "\(json)")
    #expect(json.contains("\"nats\":2,\"nats_standard_error\":1,\"order\":\"order 1\"}"), "\(json)")
  }
}
