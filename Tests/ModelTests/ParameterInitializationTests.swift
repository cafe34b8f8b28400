import Model
import Tensors
import Testing

struct ParameterInitializationTests {
  private func network(_ normalization: Normalization, maskWeight: Bool = true) -> LocallyMaskedPixelCNN {
    LocallyMaskedPixelCNN(
      ModelConfiguration(
        channels: 3, filters: 18, blocks: 1, normalization: normalization, maskWeight: maskWeight,
        distribution: .logisticMixture(mixtures: 3, bits: 8)))
  }

  private func values(_ name: String, _ network: LocallyMaskedPixelCNN, _ parameters: FloatBuffer) throws -> [Float] {
    let entry = try #require(network.layout.entries.first { $0.name == name })
    return network.layout.fileValues(of: entry, in: parameters)
  }

  @Test(arguments: Normalization.allCases)
  func weightsAndBiasesFillTheirBounds(normalization: Normalization) throws {
    let network = network(normalization)
    let parameters = network.initialParameters(seed: 3)
    var weightShape: [Int] = []
    for entry in network.layout.entries where entry.storage != .maskPanels && !entry.name.hasSuffix("_g") {
      if entry.storage == .panels { weightShape = entry.shape }
      // A bias follows its weight, and takes its number of inputs.
      let bound = 1 / Float(weightShape.dropFirst().reduce(1, *)).squareRoot()
      let values = network.layout.fileValues(of: entry, in: parameters)
      #expect(values.allSatisfy { abs($0) <= bound }, "\(entry.name)")
      let largest = values.map(abs).max() ?? 0
      // 18 numbers all below 0.7 of the bound: 1 in 600.
      #expect(largest > 0.7 * bound, "\(entry.name): largest \(largest), bound \(bound)")
      guard entry.storage == .panels else { continue }
      let mean = values.reduce(0, +) / Float(values.count)
      let variance = values.reduce(0) { $0 + $1 * $1 } / Float(values.count)
      let spread = 1 / Float(values.count).squareRoot()
      #expect(abs(mean) < 4 * 0.577 * bound * spread, "\(entry.name): mean \(mean)")
      #expect(abs(variance * 3 / (bound * bound) - 1) < 4 * 0.9 * spread, "\(entry.name): variance \(variance)")
    }
  }

  @Test(arguments: Normalization.allCases)
  func gainsAreTheNormsOfTheirDirections(normalization: Normalization) throws {
    let network = network(normalization)
    let parameters = network.initialParameters(seed: 3)
    let gains = network.layout.entries.filter { $0.name.hasSuffix(".weight_g") }
    #expect(!gains.isEmpty)
    for entry in gains {
      let gain = network.layout.fileValues(of: entry, in: parameters)
      let direction = try values(String(entry.name.dropLast(1)) + "v", network, parameters)
      let count = direction.count / gain.count
      for (output, value) in gain.enumerated() {
        let row = direction[(output * count)..<((output + 1) * count)]
        let norm = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        #expect(abs(Double(value) - norm) < 1e-6 * norm, "\(entry.name), output \(output)")
      }
    }
  }

  @Test func weightsOnTheMaskAndPaddingAreZero() throws {
    let network = network(.pono)
    let parameters = network.initialParameters(seed: 3)
    #expect(try values("u_init.mask_weight", network, parameters).allSatisfy { $0 == 0 })
    var isParameter = [Bool](repeating: false, count: parameters.count)
    for entry in network.layout.entries {
      let marked = FloatBuffer(count: parameters.count)
      network.layout.setFileValues([Float](repeating: 1, count: entry.count), of: entry, in: marked)
      for (index, value) in marked.values.enumerated() where value != 0 { isParameter[index] = true }
    }
    #expect(zip(parameters.values, isParameter).allSatisfy { $1 || $0 == 0 })
  }

  @Test func parametersAreAFunctionOfTheSeedAlone() {
    let first = network(.pono).initialParameters(seed: 1).values
    let other = network(.pono).initialParameters(seed: 2).values
    #expect(network(.pono).initialParameters(seed: 1).values == first)
    #expect(other != first)
  }

  @Test func tensorsAreDrawnIndependently() throws {
    // Two of the same shape differ, and none depends on those after it.
    let network = network(.pono, maskWeight: false)
    let parameters = network.initialParameters(seed: 1)
    let first = try values("up_layers.0.u_stream.0.conv_input.weight", network, parameters)
    #expect(try values("up_layers.1.u_stream.0.conv_input.weight", network, parameters) != first)
    var configuration = network.configuration
    configuration.blocks = 2
    let larger = LocallyMaskedPixelCNN(configuration)
    #expect(
      try values("up_layers.0.u_stream.0.conv_input.weight", larger, larger.initialParameters(seed: 1)) == first)
  }
}
