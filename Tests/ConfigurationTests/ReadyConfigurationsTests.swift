import Configuration
import Foundation
import TestSupport
import Testing

/// The files of the folder `configurations`.
@Suite struct ReadyConfigurationsTests {
  static let folder = Fixtures.packageRoot + "/configurations/"
  static let names = ["cifar10", "cifar10-pixelcnn-pp", "digits", "mnist-binary", "mnist-grey"]

  private func read(_ name: String) throws -> RunConfiguration {
    try RunConfiguration(contentsOf: Self.folder + name + ".yaml")
  }

  @Test func thereAreNoOthers() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.folder).sorted()
    #expect(files == Self.names.map { $0 + ".yaml" }.sorted())
  }

  @Test(arguments: names) func eachIsValidAndNamedLikeItsFile(name: String) throws {
    #expect(try read(name).name == name)
  }

  @Test func theDigitsAreTheDefaults() throws {
    let digits = try read("digits")
    #expect(digits.differences(from: RunConfiguration()).map(\.description) == [])
  }

  @Test(arguments: names.filter { $0 != "digits" }) func theOthersAreThePapers(name: String) throws {
    let configuration = try read(name)
    let model = configuration.modelConfiguration(channels: try #require(configuration.data.knownChannels))
    #expect(model.filters == 160 && model.blocks == 5 && model.kernel == 3)
    if name.hasSuffix("pixelcnn-pp") {
      #expect(model.architecture == .pixelCNNPlusPlus && model.dropout == 0.5)
    } else {
      #expect(model.architecture == .lmconv && model.dilation == 2)
      #expect(model.normalization == .pono && model.dropout == 0)
    }
    switch name {
    case "mnist-binary": #expect(model.distribution == .binary)
    default: #expect(model.distribution == .logisticMixture(mixtures: 10, bits: 8))
    }
    let training = configuration.training
    #expect(training.imagesPerStep == 32)
    #expect(training.learningRate == 2e-4 && training.schedule == .decay && training.decay == 0.999995)
    #expect(training.clipNorm == 2e6 && training.lossReduction == .sum && training.lossUnit == .nats)
    #expect(training.beta1 == 0.9 && training.beta2 == 0.999 && training.epsilon == 1e-8)
  }
}
