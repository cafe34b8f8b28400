import ArgumentParser
import Configuration
import Datasets
import Foundation
import Logging
import Training

/// A data set, given on the command line.
struct DataSource: ParsableArguments {
  @Argument(
    help:
      "A configuration, a run's folder, a folder or array (.npy, .npz) of pictures, a folder of TFRecords, or a packed set."
  )
  var source: String

  @Option(
    name: .customLong("set"),
    help: ArgumentHelp("Override a key of the configuration; may be repeated.", valueName: "key=value"))
  var overrides: [String] = []

  @Flag(help: "Leave out pictures that cannot be used, and list them (data.skip_bad).")
  var skipBad = false

  /// The configuration that names the set.
  ///
  /// - Throws: when there is nothing at the path, or the configuration cannot be used.
  func configuration() throws -> RunConfiguration {
    let overrides = overrides + (skipBad ? ["data.skip_bad=true"] : [])
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: source, isDirectory: &isFolder) else {
      throw CommandError.noData(path: source)
    }
    let ending = (source as NSString).pathExtension.lowercased()
    let file = isFolder.boolValue ? RunFolder(source).configuration : source
    if isFolder.boolValue ? FileManager.default.fileExists(atPath: file) : ["yaml", "yml"].contains(ending) {
      let configuration = try RunConfiguration(contentsOf: file, overrides: overrides)
      try configuration.requireFiles()
      return configuration
    }
    // Images as they are.
    var pictures = RunConfiguration()
    pictures.data.set = ImageSet(ofImagesAt: source)
    pictures.data.folder = source
    pictures.data.binarize = .none
    pictures.model.distribution = .logisticMixture
    return try RunConfiguration(yaml: pictures.yaml, path: source, overrides: overrides)
  }
}

extension ImageDataset {
  /// Tells `log` of the pictures that were left out.
  func logSkipped(_ log: Logger) {
    for picture in skipped { log.warning("left out: \(picture)") }
  }
}
