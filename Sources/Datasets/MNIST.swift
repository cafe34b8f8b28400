/// Sets in MNIST's format (LeCun, Cortes, Burges): for each split one IDX file of grey images and one of labels 0 to 9,
/// plain or packed by gzip.
public enum MNIST {
  /// Reads and checks the images and labels of `split` in `folder`: `train-images-idx3-ubyte` and
  /// `train-labels-idx1-ubyte`, or `t10k-` for the test split, each also with `.gz`; the plain file wins.
  ///
  /// - Throws: when a file is missing, unreadable, damaged or not what its name says, when images and labels differ in
  ///   number, or when `bits` does not suit `binarization`.
  public static func load(
    folder: String, split: Split, bits: Int = 8, binarization: Binarization = .none, name: String = "mnist"
  ) throws(DatasetError) -> ImageDataset {
    let stem = split == .train ? "train" : "t10k"
    let paths = try DatasetFolder(folder).paths(
      of: ["\(stem)-images-idx3-ubyte", "\(stem)-labels-idx1-ubyte"], orPacked: true)
    var files: [DataFile] = []
    let images = try IDX.images(DatasetFile.bytes(at: paths[0], &files), path: paths[0])
    let labels = try IDX.labels(DatasetFile.bytes(at: paths[1], &files), path: paths[1])
    guard images.count == labels.count else {
      throw .countMismatch(
        imagesPath: paths[0], images: images.count, labelsPath: paths[1], labels: labels.count)
    }
    var dataset = try ImageDataset(
      name: name, size: images.size, channels: 1, bits: bits, binarization: binarization, pixels: images.pixels,
      labels: labels)
    dataset.files = files
    return dataset
  }
}
