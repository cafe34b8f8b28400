import Foundation
import Model
import TestSupport
import Testing

@Suite("Parity: parameter counts") struct ParityParameterCounts {
  @Test func thePapersModelsHaveThePapersParameters() throws {
    let rgb = PixelDistribution.logisticMixture(mixtures: 10, bits: 8)
    let models = [
      "cifar10": ModelConfiguration(channels: 3, distribution: rgb),
      "mnist_binary": ModelConfiguration(channels: 1, distribution: .binary),
      "mnist_gray": ModelConfiguration(channels: 1, distribution: rgb),
      "celebahq64": ModelConfiguration(
        channels: 3, filters: 320, distribution: .logisticMixture(mixtures: 10, bits: 5)),
    ]
    let file = URL(fileURLWithPath: Fixtures.folder + "/parameter_counts.json")
    let golden = try JSONDecoder().decode([String: Int].self, from: Data(contentsOf: file))
    #expect(models.mapValues { AutoregressiveNetwork($0).layout.parameterCount } == golden)
  }
}
