import Orders

/// Sets of pictures in files of their own: PNG, JPEG and NumPy arrays, in a folder with any folders inside.
public enum PictureSet {
  /// More files than this are not described one by one.
  private static let mostDescribedFiles = 1000

  /// Reads the images of `split` at `path`, a folder or one file, in the order of the names' bytes. Their labels are 0.
  ///
  /// - Throws: when there are none, when pictures cannot be used and may not be left out, or when `bits` does not suit
  ///   `binarization`.
  public static func load(
    path: String, split: Split, options: PictureOptions = PictureOptions(), bits: Int = 8,
    binarization: Binarization = .none
  ) throws(DatasetError) -> ImageDataset {
    let reader = PictureReader(listing: try PictureListing(path), options: options)
    var pixels: [UInt8] = []
    var count = 0
    var kind: (size: ImageSize, channels: Int)?
    var files: [DataFile] = []
    let skipped: [BadPicture]
    do {
      skipped = try reader.read([split]) { images throws(DatasetError) in
        kind = (images.size, images.channels)
        pixels += images.pixels
        count += images.count
        if files.last != images.file { files.append(images.file) }
      }
    } catch {
      // Who mends pictures wants to know of all, those of the other split too.
      if case .badPictures = error { _ = try reader.read(Set(Split.allCases)) { _ throws(DatasetError) in } }
      throw error
    }
    guard let kind else {
      throw .emptySplit(path: path, split: split, files: reader.listing.files.count, skipped: skipped.count)
    }
    var dataset = try ImageDataset(
      name: ImageSet.folder.rawValue, size: kind.size, channels: kind.channels, bits: bits, binarization: binarization,
      pixels: pixels, labels: [UInt8](repeating: 0, count: count))
    if files.count <= mostDescribedFiles { dataset.files = files }
    dataset.skipped = skipped
    return dataset
  }
}
