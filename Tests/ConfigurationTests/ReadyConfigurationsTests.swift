import Configuration
import Foundation
import Model
import Orders
import TestSupport
import Testing

/// The files of the folder `configurations`.
@Suite struct ReadyConfigurationsTests {
  /// An experiment of the paper, as its code and its text describe it.
  private struct Published: Sendable {
    let channels: Int
    let parameters: Int
    var architecture = Architecture.lmconv
    var filters = 160
    var distribution = PixelDistribution.logisticMixture(mixtures: 10, bits: 8)
    var baseOrder = BaseOrder.sCurve
    var emaDecay = 0.0
    /// Steps after which the paper's code lowers the learning rate, and of our epoch; the same unless it cuts epochs short.
    var epochSteps = (paper: 1, here: 1)
  }

  private static let celebAEpoch = (paper: 500, here: 27_000 / 32)

  private static let published = [
    "cifar10": Published(channels: 3, parameters: 46_072_360),
    "cifar10-pixelcnn-pp": Published(channels: 3, parameters: 53_659_080, architecture: .pixelCNNPlusPlus),
    "mnist-binary": Published(channels: 1, parameters: 46_053_604, distribution: .binary),
    "mnist-grey": Published(channels: 1, parameters: 46_058_140, baseOrder: .generalizedHilbert),
    "celeba-hq-64": Published(
      channels: 3, parameters: 184_202_120, filters: 320, distribution: .logisticMixture(mixtures: 10, bits: 5),
      emaDecay: 0.999, epochSteps: celebAEpoch),
    "celeba-hq-256": Published(
      channels: 3, parameters: 46_072_360, distribution: .logisticMixture(mixtures: 10, bits: 5),
      epochSteps: celebAEpoch),
  ]

  static let folder = Fixtures.packageRoot + "/configurations/"
  static let names: [String] = published.keys.sorted()

  private func read(_ name: String) throws -> RunConfiguration {
    try RunConfiguration(contentsOf: Self.folder + name + ".yaml")
  }

  @Test func eachIsValidNamedLikeItsFileAndExpected() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
    #expect(files == (["digits"] + Self.names).map { $0 + ".yaml" }.sorted())
    for file in files {
      let name = String(file.dropLast(5))
      #expect(try read(name).name == name)
    }
  }

  @Test func theDigitsAreTheDefaults() throws {
    let digits = try read("digits")
    #expect(digits.differences(from: RunConfiguration()).map(\.description) == [])
  }

  @Test(arguments: names) func theOthersAreThePapers(name: String) throws {
    let published = try #require(Self.published[name])
    let configuration = try read(name)
    #expect(configuration.data.knownChannels ?? published.channels == published.channels)
    let model = configuration.modelConfiguration(channels: published.channels)
    #expect(model.architecture == published.architecture)
    #expect(model.filters == published.filters && model.blocks == 5 && model.kernel == 3)
    if published.architecture == .pixelCNNPlusPlus {
      #expect(model.normalization == .weightNorm && model.dropout == 0.5)
      #expect(configuration.orders.base == .rasterScan && configuration.orders.train == .list([.variant(.identity)]))
    } else {
      #expect(model.dilation == 2 && model.normalization == .pono && model.dropout == 0)
      #expect(configuration.orders.base == published.baseOrder)
      let all = RunConfiguration().orders
      #expect(configuration.orders.train == all.train && configuration.orders.test == all.test)
    }
    #expect(model.distribution == published.distribution)
    #expect(AutoregressiveNetwork(model).layout.parameterCount == published.parameters)
    let training = configuration.training
    #expect(training.imagesPerStep == 32)
    #expect(training.learningRate == 2e-4 && training.schedule == .decay)
    let decay = pow(0.999995, Double(published.epochSteps.here) / Double(published.epochSteps.paper))
    #expect(abs(training.decay - decay) < 1e-8)
    #expect(training.clipNorm == 2e6 && training.lossReduction == .sum && training.lossUnit == .nats)
    #expect(training.beta1 == 0.9 && training.beta2 == 0.999 && training.epsilon == 1e-8)
    #expect(training.emaDecay == published.emaDecay && configuration.evaluation.useEMA == (published.emaDecay > 0))
  }

  /// What docs/experiments.md says of each file.
  @Test(arguments: names) func thePageOfExperimentsTellsItsParameters(name: String) throws {
    let page = try String(contentsOfFile: Fixtures.packageRoot + "/docs/experiments.md", encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("| `\(name).yaml` |") }
    #expect(rows.count == 1)
    let parameters = try #require(Self.published[name]).parameters
    #expect(rows.allSatisfy { $0.replacing(",", with: "").contains("| \(parameters) |") }, "\(parameters)")
  }
}
