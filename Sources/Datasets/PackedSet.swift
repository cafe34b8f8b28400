import Foundation
import Orders

/// Sets packed into one file, whose images stay on the disk until they are needed.
public enum PackedSet {
  /// What was packed.
  public struct Summary: Sendable, Equatable {
    /// Rows and columns of every image.
    public let size: ImageSize
    /// Channels of every pixel.
    public let channels: Int
    /// Images to train on.
    public let train: Int
    /// Images to test on.
    public let test: Int
    /// Size of the file.
    public let bytes: Int
    /// Pictures that cannot be used and were left out.
    public let skipped: [BadPicture]
  }

  /// Whether the file at `path` begins as packed sets do.
  public static func isPacked(_ path: String) -> Bool {
    guard let handle = FileHandle(forReadingAtPath: path) else { return false }
    do { return try handle.read(upToCount: PackedFormat.magic.count).map(Array.init) == PackedFormat.magic } catch {
      return false
    }
  }

  /// Packs the pictures of `set` in the folder or file `source` into the file `path`; `progress` is told how many images
  /// are done. Memory does not grow with their number.
  ///
  /// - Throws: when pictures cannot be used and may not be left out, when a split has none, or when the file cannot be
  ///   written.
  public static func pack(
    _ set: ImageSet = .folder, pictures source: String, options: PictureOptions, to path: String,
    progress: (_ images: Int) -> Void = { _ in }
  ) throws(DatasetError) -> Summary {
    let reader = PictureReader(listing: try PictureListing(set, at: source, options: options), options: options)
    var started: PackedWriter?
    let skipped = try reader.read(Set(Split.allCases)) { images throws(DatasetError) in
      let writer: PackedWriter
      if let started {
        writer = started
      } else {
        writer = try PackedWriter(path: path, size: images.size, channels: images.channels)
        started = writer
      }
      try writer.append(
        images.pixels[...], labels: [UInt8](repeating: 0, count: images.count)[...], split: images.split)
      progress(writer.images)
    }.skipped
    func empty(_ split: Split) -> DatasetError {
      .emptySplit(path: source, split: split, files: reader.listing.files.count, skipped: skipped.count)
    }
    guard let writer = started else { throw empty(.train) }
    if let split = writer.emptySplit { throw empty(split) }
    try writer.finish()
    return writer.summary(skipped: skipped)
  }

  /// Packs the sets `train` and `test`, of one size and as many channels, into the file `path`.
  ///
  /// - Throws: when the file cannot be written, or the sets cannot be read.
  public static func pack(
    train: ImageDataset, test: ImageDataset, to path: String
  ) throws(DatasetError) -> Summary {
    precondition(train.size == test.size && train.channels == test.channels, "PackedSet: sets of different kinds")
    let writer = try PackedWriter(path: path, size: train.size, channels: train.channels)
    for (set, split) in [(train, Split.train), (test, .test)] {
      for image in 0..<set.count {
        let pixels = try set.pixels(of: image)
        try writer.append(pixels[...], labels: set.labels[image...image], split: split)
      }
    }
    try writer.finish()
    return writer.summary(skipped: [])
  }

  /// Opens the images of `split` in the file at `path`. Their pixels are read, and compared with their checksums, when
  /// they are needed.
  ///
  /// - Throws: when the file cannot be read, is no packed set, or damaged, or when `bits` does not suit `binarization`.
  public static func load(
    path: String, split: Split, bits: Int = 8, binarization: Binarization = .none
  ) throws(DatasetError) -> ImageDataset {
    let file = try PackedFile(contentsOf: path)
    let header = file.header
    var records: [Int] = []
    var labels: [UInt8] = []
    for record in 0..<header.records {
      guard let entry = file.entry(record) else {
        throw .damagedPart(path: path, part: "index", offset: header.indexOffset + record * PackedFormat.entryBytes)
      }
      guard entry.split == split else { continue }
      records.append(record)
      labels.append(entry.label)
    }
    guard records.count == (split == .train ? header.train : header.test), !records.isEmpty else {
      throw .damagedPart(path: path, part: "index", offset: header.indexOffset)
    }
    return try ImageDataset(
      name: ImageSet.packed.rawValue, size: header.size, channels: header.channels, bits: bits,
      binarization: binarization, file: file, records: records, labels: labels,
      contentHash: split == .train ? header.trainHash : header.testHash)
  }
}
