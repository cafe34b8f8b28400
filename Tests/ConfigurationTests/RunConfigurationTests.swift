import Configuration
import Model
import Orders
import Testing

/// The configuration of `yaml` with `overrides`.
func parse(_ yaml: String, overrides: [String] = []) throws(ConfigurationError) -> RunConfiguration {
  try RunConfiguration(yaml: yaml, path: "run.yaml", overrides: overrides)
}

@Suite struct RunConfigurationTests {
  @Test func keysNotGivenHaveTheirDefaults() throws {
    let configuration = try parse("training:\n  learning_rate: 0.5")
    var expected = RunConfiguration()
    expected.training.learningRate = 0.5
    #expect(configuration == expected)
  }

  @Test func everyTypeOfValueIsRead() throws {
    let configuration = try parse(
      """
      name: "trial.2"
      seed: 18446744073709551615
      data: {set: cifar10, folder: /data/cifar 10, bits: 5, binarize: none, resize: [16, 32], resize_probabilities: [3e-1, 0.7]}
      model: {filters: 160, normalization: order_rescale, bias: false, distribution: logistic_mixture}
      orders:
        file: ~
        train:
        - 7
        - 0
      training: {clip_norm: 2e6}
      run: {progress: off}
      """)
    #expect(configuration.name == "trial.2")
    #expect(configuration.seed == .max)
    #expect(configuration.data.set == .cifar10)
    #expect(configuration.data.folder == "/data/cifar 10")
    #expect(configuration.data.resize == [16, 32] && configuration.data.resizeProbabilities == [0.3, 0.7])
    #expect(configuration.model.normalization == .orderRescale)
    #expect(!configuration.model.bias)
    #expect(configuration.orders.file == nil)
    #expect(configuration.orders.train == .list([.variant(.transposeReflectBoth), .variant(.identity)]))
    #expect(configuration.training.clipNorm == 2_000_000)
    #expect(configuration.run.progress == .off)
  }

  @Test func integersAreDecimalAsWritten() throws {
    // YAML 1.1 would read eight here.
    #expect(try parse("training:\n  steps: 010").training.steps == 10)
  }

  @Test func theDefaultsAreValid() throws {
    try RunConfiguration().validate()
  }

  @Test func theNetworkTakesItsOptionsFromModelAndData() throws {
    var configuration = RunConfiguration()
    #expect(
      configuration.modelConfiguration(channels: 1)
        == ModelConfiguration(channels: 1, filters: 32, blocks: 1, distribution: .binary))

    configuration = try parse(
      """
      data: {set: cifar10, folder: f, bits: 5, binarize: none}
      model:
        filters: 48
        blocks: 3
        kernel: 5
        dilation: 4
        normalization: none
        dropout: 0.25
        bias: false
        mask_weight: true
        distribution: logistic_mixture
        mixtures: 7
      """)
    #expect(
      configuration.modelConfiguration(channels: 3)
        == ModelConfiguration(
          channels: 3, filters: 48, blocks: 3, kernel: 5, dilation: 4, normalization: .none, dropout: 0.25,
          bias: false, maskWeight: true, distribution: .logisticMixture(mixtures: 7, bits: 5)))
  }

  @Test func aStepHoldsTheImagesOfItsMicrobatches() {
    #expect(RunConfiguration().training.imagesPerStep == 16)
  }

  // MARK: - Overrides

  @Test func overridesChangeTheFileAndLaterOnesWin() throws {
    let configuration = try parse(
      "training:\n  steps: 5\n  beta1: 0.5",
      overrides: [
        "training.steps=6", "training.steps=7", "orders.test=[3]", "name=ab",
        "data.folder=/a=b", "model={filters: 8, blocks: 2}", "orders.file=",
      ])
    #expect(configuration.training.steps == 7)
    #expect(configuration.training.beta1 == 0.5)
    #expect(configuration.orders.test == [.variant(.reflectBoth)])
    #expect(configuration.name == "ab")
    #expect(configuration.data.folder == "/a=b")
    #expect(configuration.model.filters == 8)
    #expect(configuration.model.blocks == 2)
    #expect(configuration.orders.file == nil)
  }

  @Test func overridesAloneChangeTheDefaults() throws {
    let configuration = try RunConfiguration(contentsOf: nil, overrides: ["seed=9"])
    #expect(configuration.seed == 9)
    #expect(configuration.training == RunConfiguration().training)
  }

  // MARK: - Writing

  @Test func theResolvedFileReadsBackAsTheSameConfiguration() throws {
    var configuration = RunConfiguration()
    #expect(try parse(configuration.yaml) == configuration)

    configuration = try parse(
      """
      name: 0x1F
      seed: 18446744073709551615
      data:
        set: cifar10
        folder: "- \\"quoted\\"\\n\\u0007 # é \\U0001F600: null"
        bits: 3
        binarize: none
      model: {distribution: logistic_mixture, dropout: 0.1, mask_weight: true}
      orders: {file: "~", train: [4], per: step, reflect_rows: true}
      training: {steps: 0, epochs: 4294967295, learning_rate: 5e-324, clip_norm: 1.7976931348623157e308, beta1: 0.1}
      """)
    #expect(configuration.orders.file == "~")
    #expect(try parse(configuration.yaml) == configuration)
  }

  @Test func theResolvedFileHoldsEveryKeyWithItsMeaning() {
    let yaml = RunConfiguration().yaml
    for key in ConfigurationKey.all {
      #expect(yaml.contains("\(key.name): "), "\(key.path)")
      #expect(yaml.contains(key.meaning), "\(key.path)")
    }
  }

  // MARK: - Comparison

  @Test func equalConfigurationsDoNotDiffer() {
    #expect(RunConfiguration().differences(from: RunConfiguration()).isEmpty)
  }

  @Test func differencesNameTheKeyAndBothValues() throws {
    let old = RunConfiguration()
    let new = try parse("training: {learning_rate: 0.001}\nrun: {threads: 2}\norders: {train: [1, 2]}")
    let differences = new.differences(from: old)
    #expect(
      differences.map(\.description) == [
        "orders.train: [0, 1, 2, 3, 4, 5, 6, 7] -> [1, 2]", "training.learning_rate: 0.002 -> 0.001",
        "run.threads: 0 -> 2",
      ])
    #expect(differences.map(\.key.isDefining) == [true, true, false])
  }
}
