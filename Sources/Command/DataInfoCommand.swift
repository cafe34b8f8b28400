import ArgumentParser
import Configuration
import Datasets
import Foundation
import Imaging
import Training

/// `lmconv data info`
struct DataInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info",
    abstract: "Read a data set as training does, and show what is in it.",
    discussion: """
      Examples:
        lmconv data info configurations/cifar10.yaml
        lmconv data info holiday-pictures --set data.size=32 --out grid.png
        lmconv data info images.npz --set data.bits=5 --json
        lmconv data info pictures --skip-bad

      Values and histogram are of the training images, 0 to 255 as in the files. The grid shows the first training images \
      as the model sees them. docs/data.md says what pictures become.
      """)

  @OptionGroup var source: DataSource

  @Option(
    name: .shortAndLong, help: ArgumentHelp("Draw the first training images to this PNG file.", valueName: "file"))
  var out: String?

  @Option(help: "Images in the grid.")
  var count = 64

  @Flag(help: "Print what was found as JSON.")
  var json = false

  private struct Report: Encodable {
    struct Part: Encodable {
      let images: Int
      /// As checkpoints hold it.
      let contentHash: UInt32

      enum CodingKeys: String, CodingKey {
        case images
        case contentHash = "content_hash"
      }
    }

    struct Channel: Encodable {
      let name: String
      let minimum: Int
      let maximum: Int
      let mean: Double
      let deviation: Double
      /// How often each value 0 to 255 occurs.
      let histogram: [Int]
    }

    let set: String
    let path: String?
    let train: Part
    let test: Part
    let rows: Int
    let columns: Int
    let bits: Int
    let channels: [Channel]
    let skipped: [String]
  }

  func validate() throws {
    guard (1...10_000).contains(count) else { throw ValidationError("--count must be 1 to 10000, it is \(count)") }
  }

  func run() throws {
    let file = try out.map { try OutputFile($0) }
    let configuration = try source.configuration()
    let train = try configuration.data.images(of: .train)
    let test = try configuration.data.images(of: .test)
    try Experiment.requireSameKind(train: train, test: test)
    // The images of a packed set are checked when they are read.
    for image in 0..<test.count { _ = try test.pixels(of: image) }
    if let file { try draw(train, seed: configuration.seed, to: file) }
    let report = try report(configuration, train: train, test: test)
    if json { try JSONOutput.print(report) } else { show(report) }
  }

  private func report(_ configuration: RunConfiguration, train: ImageDataset, test: ImageDataset) throws -> Report {
    let names = train.channels == 1 ? ["grey"] : ["red", "green", "blue"]
    return Report(
      set: train.name, path: configuration.data.folder,
      train: .init(images: train.count, contentHash: train.contentHash),
      test: .init(images: test.count, contentHash: test.contentHash), rows: train.size.rows,
      columns: train.size.columns, bits: train.bits,
      channels: try zip(names, ValueStatistics(train).channels).map { name, channel in
        .init(
          name: name, minimum: channel.minimum, maximum: channel.maximum, mean: channel.mean,
          deviation: channel.deviation, histogram: channel.counts)
      },
      skipped: Set((train.skipped + test.skipped).map(\.description)).sorted())
  }

  // MARK: Text

  private static let bins = 16
  private static let barLength = 40

  private func show(_ report: Report) {
    let channels = Quantity.count(report.channels.count, "channel")
    var rows = [
      ["set", report.set + (report.path.map { ", \($0)" } ?? "")],
      ["train", "\(Quantity.count(report.train.images, "image")), hash \(report.train.contentHash)"],
      ["test", "\(Quantity.count(report.test.images, "image")), hash \(report.test.contentHash)"],
      [
        "image",
        "\(report.rows)x\(report.columns) pixels, \(channels) of \(Quantity.count(report.bits, "bit")): "
          + "\(report.rows * report.columns * report.channels.count) dimensions of \(1 << report.bits) levels",
      ],
    ]
    for channel in report.channels {
      rows.append([
        channel.name,
        "\(channel.minimum) to \(channel.maximum), mean \(TrainingProgress.number(channel.mean, 1)), "
          + "deviation \(TrainingProgress.number(channel.deviation, 1))",
      ])
    }
    if !report.skipped.isEmpty { rows.append(["left out", Quantity.count(report.skipped.count, "picture")]) }
    print(TextTable.text(rows))
    for picture in report.skipped { print("  \(picture)") }
    print("\n" + histogram(report.channels))
  }

  /// A line for each of 16 ranges of values, with a bar of the share of all channels' values in it.
  private func histogram(_ channels: [Report.Channel]) -> String {
    let width = 256 / Self.bins
    let counts = (0..<Self.bins).map { bin in
      channels.reduce(0) { $0 + $1.histogram[(bin * width)..<((bin + 1) * width)].reduce(0, +) }
    }
    let total = counts.reduce(0, +)
    let largest = counts.max() ?? 0
    let rows = counts.enumerated().map { bin, count in
      [
        "\(bin * width)", "to \((bin + 1) * width - 1)",
        "\(TrainingProgress.number(100 * Double(count) / Double(total), 1)) %",
        String(repeating: "#", count: (count * Self.barLength + largest - 1) / largest),
      ]
    }
    return TextTable.text([["value", "", "share", ""]] + rows, rightAligned: [0, 2])
  }

  // MARK: Picture

  private func draw(_ dataset: ImageDataset, seed: UInt64, to file: OutputFile) throws {
    let count = min(count, dataset.count)
    let levels = try dataset.levels(first: 0, count: count, seed: seed)
    let pictures = PictureLevels(channels: dataset.channels, bits: dataset.bits).pictures(levels, size: dataset.size)
    // About square, and small images enlarged.
    let columns = Int(Double(count).squareRoot().rounded(.up))
    let rows = stride(from: 0, to: count, by: columns).map { Array(pictures[$0..<min($0 + columns, count)]) }
    let scale = max(1, 64 / max(dataset.size.rows, dataset.size.columns))
    try file.write(ImageGrid(scale: scale).picture(rows: rows))
    Notice.show("\(file.path): the first \(Quantity.count(count, "training image")) as the model sees them")
  }
}
