import ArgumentParser
import Configuration
import Datasets
import Foundation
import Imaging
import Training

/// `lmconv data export`
struct DataExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Write the images of a data set as PNG files.",
    discussion: """
      Examples:
        # 500 digits to train on, and 55 of the 500 to test
        lmconv data export configurations/digits.yaml --count 500 --out digits
        lmconv data export faces.lmds --out faces

      The images go to the folders train and test of the folder --out as training reads them, before their lower bits are \
      dropped, with 8 bits of each channel: `data.set: folder` reads them back as the same set.
      """)

  @OptionGroup var source: DataSource

  @Option(
    help: "Training images, the first ones, and the same share of the test images; 0 writes all of both.")
  var count = 0

  @Option(name: .shortAndLong, help: ArgumentHelp("Folder to write, new or empty.", valueName: "folder"))
  var out: String

  func validate() throws {
    guard count >= 0 else { throw ValidationError("--count must not be negative, it is \(count)") }
  }

  func run() throws {
    let manager = FileManager.default
    if manager.fileExists(atPath: out), try !manager.contentsOfDirectory(atPath: out).isEmpty {
      throw CommandError.fileNotWritten(path: out, reason: "it is not empty; name a new folder")
    }
    let configuration = try source.configuration()
    let train = try configuration.data.images(of: .train)
    let test = try configuration.data.images(of: .test)
    guard count <= train.count else {
      throw CommandError.imagesOutside(first: 0, count: count, available: train.count)
    }
    let trained = count == 0 ? train.count : count
    let tested = max(1, test.count * trained / train.count)
    try write(train, count: trained, to: "train")
    try write(test, count: tested, to: "test")
    print("\(out): \(trained) training and \(tested) test images of \(train.size)")
  }

  private func write(_ set: ImageDataset, count: Int, to name: String) throws {
    // Readers take files in the order of their names.
    let digits = max(5, String(count - 1).count)
    let folder = try OutputFile("\(out)/\(name)/image")
    for image in 0..<count {
      let number = String(image)
      let picture = PNGImage(size: set.size, channels: set.channels, pixels: try set.pixels(of: image))
      try picture.write(to: "\(folder.path)-\(String(repeating: "0", count: digits - number.count))\(number).png")
    }
  }
}
