import Foundation
import Imaging
import Orders

/// A folder of pictures so small that training on them takes a moment.
enum PictureFolder {
  /// Writes `count` coloured pictures of 12 x 10 pixels to the folder `name` in `folder`.
  static func write(_ name: String = "pictures", count: Int = 40, in folder: TemporaryFolder) throws {
    for index in 0..<count {
      let size = ImageSize(rows: 12, columns: 10)
      let pixels = (0..<(size.pixels * 3)).map { UInt8(truncatingIfNeeded: $0 * (index + 3) / 2 + 11 * index) }
      let subfolder = "\(name)/\(index % 3)"
      try FileManager.default.createDirectory(
        atPath: "\(folder.path)/\(subfolder)", withIntermediateDirectories: true)
      try folder.write(
        PNGImage(size: size, channels: 3, pixels: pixels).encoded(), to: "\(subfolder)/\(index).png")
    }
  }

  /// A run on them, scaled to 8 x 8 pixels of 5 bits, some mirrored.
  static let configuration = """
    name: small
    data:
      set: folder
      folder: pictures
      size: 8
      bits: 5
      binarize: none
      flip: true
    model:
      filters: 4
      distribution: logistic_mixture
      mixtures: 2
    orders:
      train: [0, 5]
      test: [0, 3]
    training:
      steps: 12
      microbatches: 3
      microbatch_size: 2
    checkpoint:
      every_steps: 5
    run:
      threads: 1
      progress: plain

    """
}
