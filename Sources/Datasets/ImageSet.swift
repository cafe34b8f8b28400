/// The sets of images that can be named.
public enum ImageSet: String, Sendable, Codable, CaseIterable {
  /// 5,000 digits of MNIST, embedded.
  case digits
  /// MNIST, or another set in its files and format.
  case mnist
  /// CIFAR-10 in its binary version.
  case cifar10
  /// Pictures in files: PNG, JPEG and NumPy arrays.
  case folder
  /// Pictures in TFRecord files, in the layout of Glow's CelebA-HQ.
  case tfrecords
  /// Any set, packed into one file.
  case packed

  /// Whether its images are pictures that are cut, scaled and made grey or RGB as `PictureOptions` say.
  public var isOfPictures: Bool { self == .folder || self == .tfrecords }
}

/// Which images of a set.
public enum Split: String, Sendable, Codable, CaseIterable {
  /// Those to train on.
  case train
  /// Those to evaluate on.
  case test
}

extension ImageDataset {
  /// Reads and checks the images of `split` of `set` in `folder`, which `digits` does not need: without one, the
  /// embedded files are read. `pictures` is for sets of pictures in files.
  ///
  /// - Throws: when the folder is needed and absent, when a file is missing, unreadable, damaged or not what its name
  ///   says, or when `bits` does not suit `binarization`.
  public static func load(
    set: ImageSet, folder: String? = nil, split: Split, bits: Int = 8, binarization: Binarization = .none,
    pictures: PictureOptions = PictureOptions()
  ) throws(DatasetError) -> ImageDataset {
    switch (set, folder) {
    case (.cifar10, let folder?):
      return try CIFAR10.load(folder: folder, split: split, bits: bits, binarization: binarization)
    case (.digits, nil):
      return try MNIST.load(
        folder: EmbeddedDigits.folder(), split: split, bits: bits, binarization: binarization, name: set.rawValue)
    case (.digits, let folder?), (.mnist, let folder?):
      return try MNIST.load(
        folder: folder, split: split, bits: bits, binarization: binarization, name: set.rawValue)
    case (.folder, let path?), (.tfrecords, let path?):
      return try PictureSet.load(
        set, path: path, split: split, options: pictures, bits: bits, binarization: binarization)
    case (.packed, let path?):
      return try PackedSet.load(path: path, split: split, bits: bits, binarization: binarization)
    case (.mnist, nil), (.cifar10, nil), (.folder, nil), (.tfrecords, nil), (.packed, nil):
      throw .folderNeeded(set: set)
    }
  }
}

extension ImageSet {
  /// What the images at `path` are, by what is there: `packed`, `tfrecords` or `folder`.
  public init(ofImagesAt path: String) {
    self = PackedSet.isPacked(path) ? .packed : RecordShards.isLayout(path) ? .tfrecords : .folder
  }
}
