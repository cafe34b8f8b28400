import Orders

/// Sets of pictures that are cut, scaled and divided as `PictureOptions` say: PNG, JPEG and NumPy arrays, in a folder with any
/// folders inside, and TFRecord files.
public enum PictureSet {
  /// More files than this are not described one by one.
  private static let mostDescribedFiles = 1000

  /// Reads the images of `split` of `set` at `path`, a folder or one file, in the order of the names' bytes. Their labels
  /// are 0.
  ///
  /// - Throws: when there are none, when pictures cannot be used and may not be left out, or when `bits` does not suit
  ///   `binarization`.
  public static func load(
    _ set: ImageSet = .folder, path: String, split: Split, options: PictureOptions = PictureOptions(), bits: Int = 8,
    binarization: Binarization = .none
  ) throws(DatasetError) -> ImageDataset {
    let reader = PictureReader(listing: try PictureListing(set, at: path, options: options), options: options)
    var pixels: [UInt8] = []
    var count = 0
    var kind: (size: ImageSize, channels: Int)?
    let read: PictureReader.Summary
    do {
      read = try reader.read([split]) { images throws(DatasetError) in
        kind = (images.size, images.channels)
        pixels += images.pixels
        count += images.count
      }
    } catch {
      // Who mends pictures wants to know of all, those of the other split too.
      if case .badPictures = error { _ = try reader.read(Set(Split.allCases)) { _ throws(DatasetError) in } }
      throw error
    }
    guard let kind else {
      throw .emptySplit(path: path, split: split, files: reader.listing.files.count, skipped: read.skipped.count)
    }
    var dataset = try ImageDataset(
      name: set.rawValue, size: kind.size, channels: kind.channels, bits: bits, binarization: binarization,
      pixels: pixels, labels: [UInt8](repeating: 0, count: count))
    if read.files.count <= mostDescribedFiles { dataset.files = read.files }
    dataset.skipped = read.skipped
    return dataset
  }
}
