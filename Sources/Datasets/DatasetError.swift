import Imaging

/// What is wrong with a set of images or with how it is used. Offsets count from 0; for a `.gz` file they count the
/// unpacked bytes, apart from those of damage to the gzip stream itself.
public enum DatasetError: Error, Equatable, CustomStringConvertible {
  /// A set that is not embedded was asked for without its folder.
  case folderNeeded(set: ImageSet)
  /// A folder lacks files of the set; `files` are the names that were looked for and not found.
  case missingFiles(folder: String, folderExists: Bool, files: [String])
  /// The folder of embedded digits is not next to the executable.
  case embeddedDigitsMissing(folder: String)
  /// The system cannot read the file.
  case unreadable(path: String, reason: String)
  /// The file has, or unpacks to, more bytes than are read into memory.
  case tooLarge(path: String, limitBytes: Int)
  /// A file named `.gz` does not begin as gzip files do.
  case notGzip(path: String, found: [UInt8])
  /// The gzip stream goes on after the end of the file.
  case truncatedGzip(path: String, bytes: Int)
  /// The gzip stream is not valid near `offset` of the packed file.
  case damagedGzip(path: String, offset: Int, reason: String)
  /// An IDX file begins with another magic number than the one of its kind.
  case wrongMagic(path: String, expected: UInt32, found: UInt32)
  /// A header announces a count or size that cannot be right.
  case impossibleSize(path: String, offset: Int, quantity: String, expected: ClosedRange<Int>, found: Int)
  /// The file ends before the data that its header announces.
  case truncated(path: String, expectedBytes: Int, foundBytes: Int)
  /// The file goes on after the data that its header announces.
  case trailingBytes(path: String, offset: Int, count: Int)
  /// The file's length is not a positive multiple of its records' length; the last record begins at `offset`.
  case partialRecord(path: String, offset: Int, expectedBytes: Int, foundBytes: Int)
  /// The label of image `image` of this file is not a class.
  case labelOutOfRange(path: String, offset: Int, image: Int, found: UInt8)
  /// The files of images and labels do not belong together.
  case countMismatch(imagesPath: String, images: Int, labelsPath: String, labels: Int)
  /// Pixels cannot have that many bits.
  case unsupportedBits(Int)
  /// Binarized pixels have one bit, and another number was asked for.
  case bitsOfBinarizedPixels(Int)
  /// The file is no packed set.
  case notPacked(path: String)
  /// A packed set of another version of the format.
  case packedVersion(path: String, found: Int)
  /// The header or the index of a packed set does not have its checksum, or says what cannot be.
  case damagedPart(path: String, part: String, offset: Int)
  /// The pixels of a record of a packed set do not have their checksum.
  case damagedRecord(path: String, record: Int, offset: Int)
  /// The system cannot write the file.
  case unwritable(path: String, reason: String)
  /// There is no file of a kind that is read.
  case noPictures(path: String)
  /// A folder holds no TFRecord file in Glow's layout.
  case noShards(folder: String, prefix: String)
  /// The images in a folder's TFRecord files are smaller than what was asked for.
  case smallShards(folder: String, side: Int, largest: Int)
  /// Of `expected` TFRecord files of a resolution, those with the numbers `missing` are missing; `others` belong to another
  /// number of files.
  case missingShards(folder: String, resolution: Int, expected: Int, missing: [Int], others: Int)
  /// Pictures cannot be used.
  case badPictures([BadPicture])
  /// None of the pictures is of the split.
  case emptySplit(path: String, split: Split, files: Int, skipped: Int)
  /// The set is smaller than one global batch.
  case tooFewImages(count: Int, slots: Int, imagesPerSlot: Int)

  /// What happened, where, and what to do.
  public var description: String {
    switch self {
    case .folderNeeded(let set):
      return "data set '\(set.rawValue)' is not embedded; name the folder that holds its files"
    case .missingFiles(let folder, let folderExists, let files):
      let names = files.joined(separator: ", ")
      return folderExists
        ? "\(folder): found no \(names); name the folder that holds the set's files"
        : "\(folder): no such folder; looked there for \(names)"
    case .embeddedDigitsMissing(let folder):
      return "\(folder): no such folder; keep the embedded digits next to the executable, or name a folder of digits"
    case .unreadable(let path, let reason): return "\(path): \(reason)"
    case .tooLarge(let path, let limit): return "\(path): more than the \(limit) bytes that are read into memory"
    case .notGzip(let path, let found):
      let bytes = found.map { hexadecimal(UInt32($0), digits: 2) }.joined(separator: " ")
      return "\(path): not a gzip file: begins with \(bytes.isEmpty ? "nothing" : bytes), expected 0x1f 0x8b; "
        + "if it is already unpacked, drop '.gz' from its name"
    case .truncatedGzip(let path, let bytes):
      return "\(path): truncated, the gzip stream goes on after its \(bytes) bytes; fetch the file again"
    case .damagedGzip(let path, let offset, let reason):
      return "\(path): damaged gzip stream near byte \(offset): \(reason); fetch the file again"
    case .wrongMagic(let path, let expected, let found):
      return "\(place(path, 0)): magic number \(hexadecimal(found, digits: 8)), "
        + "expected \(hexadecimal(expected, digits: 8)); this is not the file that its name says"
    case .impossibleSize(let path, let offset, let quantity, let expected, let found):
      return "\(place(path, offset)): \(found) \(quantity), expected \(expected.lowerBound) to \(expected.upperBound)"
    case .truncated(let path, let expected, let found):
      return "\(place(path, found)): truncated, \(found) bytes, expected \(expected); fetch the file again"
    case .trailingBytes(let path, let offset, let count):
      return "\(place(path, offset)): \(count) bytes after the end of the data, expected none"
    case .partialRecord(let path, let offset, let expected, let found):
      return "\(place(path, offset)): a record of \(found) bytes, expected \(expected); fetch the file again"
    case .labelOutOfRange(let path, let offset, let image, let found):
      return "\(place(path, offset)): label \(found) of image \(image), expected 0 to 9"
    case .countMismatch(let imagesPath, let images, let labelsPath, let labels):
      return "\(labelsPath): \(labels) labels, expected \(images), one for each image of \(imagesPath)"
    case .unsupportedBits(let bits): return "\(bits) bits per channel of a pixel, expected 1 to 8"
    case .bitsOfBinarizedPixels(let bits):
      return "\(bits) bits per channel of binarized pixels, expected 1; set bits to 1 or binarization to none"
    case .notPacked(let path): return "\(path): not a packed set; make one with lmconv data prepare"
    case .packedVersion(let path, let found):
      return "\(path): version \(found) of packed sets, this program reads version \(PackedFormat.version); "
        + "pack the set again"
    case .damagedPart(let path, let part, let offset):
      return "\(place(path, offset)): the \(part) is damaged; pack the set again"
    case .damagedRecord(let path, let record, let offset):
      return "\(place(path, offset)): record \(record) is damaged: its pixels do not have their checksum; "
        + "pack the set again"
    case .unwritable(let path, let reason): return "\(path) cannot be written: \(reason)"
    case .noPictures(let path):
      let endings = PNGImage.pictureEndings + PictureListing.arrayEndings
      return "\(path): no file that ends in \(endings.joined(separator: ", ")); "
        + "for other files set data.set to mnist, cifar10 or tfrecords"
    case .noShards(let folder, let prefix):
      return
        "\(folder): no file such as \(prefix)-r08-s-0000-of-0120.tfrecords; data.folder holds the folders train and "
        + "validation of such files"
    case .smallShards(let folder, let side, let largest):
      return "\(folder): images of at most \(largest)x\(largest), smaller than data.size, \(side)x\(side)"
    case .missingShards(let folder, let resolution, let expected, let missing, let others):
      let numbers = missing.prefix(10).map(String.init).joined(separator: ", ")
      let name = "r\(resolution < 10 ? "0" : "")\(resolution)"
      return "\(folder): of \(expected) files of \(name), "
        + (missing.isEmpty
          ? "none is missing" : "\(missing.count) are missing: number \(numbers)\(missing.count > 10 ? ", ..." : "")")
        + (others > 0 ? "; \(others) files of \(name) belong to another number of files" : "")
    case .badPictures(let pictures):
      let shown = pictures.prefix(20).map(\.description)
      let rest = pictures.count > shown.count ? ["and \(pictures.count - shown.count) more"] : []
      let what = pictures.count == 1 ? "1 picture cannot be used" : "\(pictures.count) pictures cannot be used"
      return "\(what); mend or remove, or leave out with data.skip_bad:\n  "
        + (shown + rest).joined(separator: "\n  ")
    case .emptySplit(let path, let split, let files, let skipped):
      let leftOut = skipped > 0 ? ", \(skipped) left out" : ""
      let use = split == .train ? "to train on" : "to test on"
      return "\(path): no image \(use), of \(files) files\(leftOut); add pictures, change data.test_fraction, "
        + "or divide them into folders train and test"
    case .tooFewImages(let count, let slots, let imagesPerSlot):
      return "\(count) images, expected at least one global batch of \(slots) microbatches of \(imagesPerSlot); "
        + "use fewer or smaller microbatches, or a larger set"
    }
  }

  private func place(_ path: String, _ offset: Int) -> String {
    path.hasSuffix(".gz") ? "\(path): byte \(offset) of the unpacked data" : "\(path): byte \(offset)"
  }

  private func hexadecimal(_ value: UInt32, digits: Int) -> String {
    let text = String(value, radix: 16)
    return "0x" + String(repeating: "0", count: max(0, digits - text.count)) + text
  }
}
