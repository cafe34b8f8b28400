import Configuration
import Model
import Testing

/// What PixelCNN++ leaves no choice in is said key by key, never passed over.
@Suite struct PixelCNNPlusPlusRuleTests {
  /// A configuration that is right, with `changes`.
  private func faults(_ changes: [String], yaml: String = "model.architecture: pixelcnn_pp") -> [String] {
    let right = [
      "model.dilation=1", "model.normalization=weight_norm", "orders.train=[raster_scan]", "orders.test=[raster_scan]",
    ]
    do {
      _ = try RunConfiguration(yaml: yaml, path: "run.yaml", overrides: right + changes)
      return []
    } catch {
      return error.faults.map(\.description)
    }
  }

  @Test func aRightConfigurationIsTakenAndWritten() throws {
    #expect(faults([]) == [])
    let configuration = try RunConfiguration(contentsOf: ReadyConfigurationsTests.folder + "cifar10-pixelcnn-pp.yaml")
    #expect(try RunConfiguration(yaml: configuration.yaml, path: "again.yaml") == configuration)
    #expect(configuration.modelConfiguration(channels: 3).architecture == .pixelCNNPlusPlus)
  }

  @Test(arguments: [
    (
      ["model.kernel=5"],
      "'model.kernel' is 5, but 'model.architecture' is pixelcnn_pp, whose windows are 2x3 and 2x2; set 'model.kernel' to 3"
    ),
    (
      ["model.dilation=2"],
      "'model.dilation' is 2, but 'model.architecture' is pixelcnn_pp, which halves the images between groups and dilates "
        + "nothing; set 'model.dilation' to 1"
    ),
    (
      ["model.normalization=pono"],
      "'model.normalization' is pono, but 'model.architecture' is pixelcnn_pp, whose convolutions are all "
        + "weight-normalized; set 'model.normalization' to weight_norm"
    ),
    (
      ["model.bias=false"],
      "'model.bias' is false, but 'model.architecture' is pixelcnn_pp, whose convolutions all have a bias; set "
        + "'model.bias' to true"
    ),
    (
      ["model.mask_weight=true"],
      "'model.mask_weight' is true, but 'model.architecture' is pixelcnn_pp, which has no masks; set "
        + "'model.mask_weight' to false"
    ),
    (
      ["orders.train=[0, 1]"],
      "'orders.train' has other orders than the raster scan, the only one of 'model.architecture' pixelcnn_pp; set "
        + "'orders.train' to [raster_scan]"
    ),
    (
      ["orders.train=random"],
      "'orders.train' has other orders than the raster scan, the only one of 'model.architecture' pixelcnn_pp; set "
        + "'orders.train' to [raster_scan]"
    ),
    (
      ["orders.test=[raster_scan, 'random/0']"],
      "'orders.test' has other orders than the raster scan, the only one of 'model.architecture' pixelcnn_pp; set "
        + "'orders.test' to [raster_scan]"
    ),
  ])
  func everyOtherChoiceIsRefused(changes: [String], message: String) {
    #expect(faults(changes) == ["--set \(changes[0]): \(message)"])
  }

  @Test func theSizeMustBeAMultipleOfFour() {
    let yaml = "{model.architecture: pixelcnn_pp, data: {set: folder, folder: x, binarize: none, size: 30}}"
    #expect(
      faults(["model.distribution=logistic_mixture"], yaml: yaml) == [
        "run.yaml:1: 'data.size' is 30, but 'model.architecture' is pixelcnn_pp, which halves the images twice; set "
          + "'data.size' to a multiple of 4"
      ])
    #expect(faults(["model.distribution=logistic_mixture", "data.size=32"], yaml: yaml) == [])
  }

  @Test func variantsOfTheRasterScanCountAsWhatTheyAre() {
    #expect(faults(["orders.base=raster_scan", "orders.train=[0]", "orders.test=[0]"]) == [])
    #expect(faults(["orders.base=raster_scan", "orders.train=[0]", "orders.transpose=true"]).count == 1)
    #expect(faults(["orders.base=raster_scan", "orders.train=[0]", "orders.file=a.txt"]).count == 1)
    #expect(faults(["orders.train=[0]"]).count == 1)
    #expect(faults(["orders.train=[raster_scan/4]"]).count == 1)
  }

  /// What one is told who only names the architecture.
  @Test func allThatIsToChangeIsSaidAtOnce() {
    do {
      _ = try RunConfiguration(contentsOf: nil, overrides: ["model.architecture=pixelcnn_pp"])
      Issue.record("not refused")
    } catch {
      #expect(error.faults.count == 4)
      #expect(error.faults.allSatisfy { $0.description.hasPrefix("--set model.architecture=pixelcnn_pp: ") })
    }
  }

  @Test func lmconvTakesAllOfThem() throws {
    _ = try RunConfiguration(
      contentsOf: nil,
      overrides: ["model.architecture=lmconv", "model.kernel=5", "model.mask_weight=true", "orders.train=random"])
  }
}
