import Orders

/// CIFAR-10 (Krizhevsky 2009) in its binary version: records of a label and 32x32 pixels, first all red values, then
/// green, then blue.
public enum CIFAR10 {
  private static let size = ImageSize(rows: 32, columns: 32)
  private static let channels = 3
  private static let recordBytes = 1 + size.pixels * channels

  /// Reads and checks the images and labels of `split` in `folder`: `data_batch_1.bin` to `data_batch_5.bin`, or
  /// `test_batch.bin`. The files may hold any number of whole records.
  ///
  /// - Throws: when a file is missing, unreadable, not whole records or has a label above 9, or when `bits` does not
  ///   suit `binarization`.
  public static func load(
    folder: String, split: Split, bits: Int = 8, binarization: Binarization = .none
  ) throws(DatasetError) -> ImageDataset {
    let names = split == .train ? (1...5).map { "data_batch_\($0).bin" } : ["test_batch.bin"]
    var pixels: [UInt8] = []
    var labels: [UInt8] = []
    var files: [DataFile] = []
    for path in try DatasetFolder(folder).paths(of: names, orPacked: false) {
      try appendRecords(DatasetFile.bytes(at: path, &files), path: path, pixels: &pixels, labels: &labels)
    }
    var dataset = try ImageDataset(
      name: "cifar10", size: size, channels: channels, bits: bits, binarization: binarization, pixels: pixels,
      labels: labels)
    dataset.files = files
    return dataset
  }

  /// Appends the records of the file `bytes` to `pixels`, [image, row, column, channel], and `labels`; `path` is used in
  /// messages.
  package static func appendRecords(
    _ bytes: [UInt8], path: String, pixels: inout [UInt8], labels: inout [UInt8]
  ) throws(DatasetError) {
    let (records, rest) = bytes.count.quotientAndRemainder(dividingBy: recordBytes)
    guard rest == 0 && records > 0 else {
      throw .partialRecord(
        path: path, offset: records * recordBytes, expectedBytes: recordBytes, foundBytes: rest)
    }
    labels.reserveCapacity(labels.count + records)
    pixels.reserveCapacity(pixels.count + records * size.pixels * channels)
    for record in 0..<records {
      let offset = record * recordBytes
      guard bytes[offset] <= 9 else {
        throw .labelOutOfRange(path: path, offset: offset, image: record, found: bytes[offset])
      }
      labels.append(bytes[offset])
      for pixel in 0..<size.pixels {
        for channel in 0..<channels { pixels.append(bytes[offset + 1 + channel * size.pixels + pixel]) }
      }
    }
  }
}
