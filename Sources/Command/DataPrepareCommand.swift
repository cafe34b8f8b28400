import ArgumentParser
import Configuration
import Datasets
import Foundation
import Training

/// `lmconv data prepare`
struct DataPrepareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "prepare",
    abstract: "Pack a data set into one file, to be read piece by piece while training.",
    discussion: """
      Examples:
        lmconv data prepare faces --set data.size=64 --set data.channels=3 --out faces.lmds
        lmconv data prepare configurations/cifar10.yaml --out cifar10.lmds
        lmconv data prepare celeba-tfr --set data.size=32 --out celeba32.lmds
        lmconv train --config my.yaml --set data.set=packed --set data.folder=faces.lmds

      Pictures are decoded, cut and scaled once; the file holds 8 bits of each channel with a checksum for each image, so \
      that data.bits, data.binarize and data.flip are chosen when training. Training has the same bits as on the pictures \
      themselves. Sets larger than memory are packed and trained on.
      """)

  @OptionGroup var source: DataSource

  @Option(name: .shortAndLong, help: ArgumentHelp("File to write.", valueName: "file"))
  var out: String

  func run() throws {
    let file = try OutputFile(out)
    let configuration = try source.configuration()
    let data = configuration.data
    let summary: PackedSet.Summary
    if data.set.isOfPictures, let folder = data.folder {
      var shown = ContinuousClock.now
      summary = try PackedSet.pack(data.set, pictures: folder, options: data.pictures, to: file.path) { images in
        guard shown.duration(to: .now) > .seconds(10) else { return }
        shown = .now
        Notice.show("\(images) images packed")
      }
    } else {
      let (train, test) = (try data.images(of: .train), try data.images(of: .test))
      try Experiment.requireSameKind(train: train, test: test)
      summary = try PackedSet.pack(train: train, test: test, to: file.path)
    }
    for picture in summary.skipped { Notice.show("left out: \(picture)") }
    print(
      "\(file.path): \(summary.train) training and \(summary.test) test images of \(summary.size), "
        + "\(Quantity.count(summary.channels, "channel")); \(Quantity.bytes(summary.bytes))")
  }
}
