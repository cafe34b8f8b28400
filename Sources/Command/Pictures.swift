import Datasets
import Foundation
import Imaging
import Orders

/// Pictures of one size, read from files.
struct Pictures {
  /// Rows and columns of each.
  let size: ImageSize
  let channels: Int
  /// `[pictures, rows, columns, channels]`, 0 to 255.
  private(set) var pixels: [UInt8] = []
  /// What each is called: its file, with the index of one in an array of several.
  private(set) var names: [String] = []

  /// What `paths` may be, for help texts.
  static let forms = "PNG and JPEG files, folders of them, or .npy files (uint8, [N,H,W] or [N,H,W,C])"

  /// Reads the pictures that `paths` name: PNG and JPEG files, `.npy` files, and folders, whose files of these kinds are
  /// taken in the order of their names. They must suit a model of `channels` channels with `bits` bits.
  ///
  /// - Throws: when a file cannot be read, or holds other pictures than the model is of.
  init(_ paths: [String], channels: Int, bits: Int) throws {
    self.channels = channels
    var first: (path: String, size: ImageSize)?
    for path in try paths.flatMap(Self.files) {
      let (size, found, values) = try Self.read(path)
      guard first.map({ $0.size == size }) ?? true else {
        throw PictureError.otherSize(
          path: path, found: size, first: first?.path ?? path, expected: first?.size ?? size)
      }
      guard found == channels else { throw PictureError.otherChannels(path: path, found: found, expected: channels) }
      if first == nil { first = (path, size) }
      let count = values.count / (size.pixels * channels)
      if Self.isArray(path) {
        try Self.checkRange(values, bits: bits, path: path)
        names += (0..<count).map { "\(path)[\($0)]" }
      } else {
        names.append(path)
      }
      pixels += values
    }
    guard let first else { throw PictureError.noPictures(path: paths.first ?? "''") }
    size = first.size
  }

  /// The pictures as a set that a model of `bits` bits sees as it saw its own.
  func dataset(name: String, bits: Int, binarization: Binarization) throws -> ImageDataset {
    try ImageDataset(
      name: name, size: size, channels: channels, bits: bits, binarization: binarization, pixels: pixels,
      labels: [UInt8](repeating: 0, count: names.count))
  }

  /// `path`, or the pictures in the folder that it names.
  private static func files(_ path: String) throws -> [String] {
    var isFolder: ObjCBool = false
    guard FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue else {
      return [path]
    }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw PictureError.unreadableFolder(path: path, reason: error.localizedDescription)
    }
    let pictures = names.filter { name in
      isArray(name) || PNGImage.pictureEndings.contains { name.lowercased().hasSuffix($0) }
    }.sorted()
    guard !pictures.isEmpty else { throw PictureError.noPictures(path: path) }
    return pictures.map { path.hasSuffix("/") ? path + $0 : "\(path)/\($0)" }
  }

  /// Whether `path` names a NumPy file.
  static func isArray(_ path: String) -> Bool { path.lowercased().hasSuffix(".npy") }

  private static func read(_ path: String) throws -> (size: ImageSize, channels: Int, pixels: [UInt8]) {
    guard isArray(path) else {
      let picture = try PNGImage(pictureAt: path)
      return (picture.size, picture.channels, picture.pixels)
    }
    let array = try NPYArray(contentsOf: path)
    let shape = array.shape
    guard (3...4).contains(shape.count), shape.allSatisfy({ $0 > 0 }), shape.count == 3 || shape[3] <= 4 else {
      throw NPYError.wrongShape(path: path, found: shape, expected: "[N,H,W] or [N,H,W,C] with C from 1 to 4")
    }
    return (ImageSize(rows: shape[1], columns: shape[2]), shape.count == 4 ? shape[3] : 1, array.elements)
  }

  /// An array may hold levels where pixels are meant, which would be all but black.
  private static func checkRange(_ values: [UInt8], bits: Int, path: String) throws(PictureError) {
    let largest = values.max() ?? 0
    guard bits == 8 || largest == 0 || largest >= 1 << bits else {
      throw .levelsNotPixels(path: path, largest: largest, bits: bits)
    }
  }
}

extension NPYArray {
  /// `images` pictures of `size`, `[images, rows, columns]`, with `[channels]` behind where there are several, and with
  /// `outer` sizes in place of the first if given.
  init(pictures: [PNGImage], outer: [Int]? = nil) {
    precondition(!pictures.isEmpty, "NPYArray: no pictures")
    let (size, channels) = (pictures[0].size, pictures[0].channels)
    self.init(
      shape: (outer ?? [pictures.count]) + [size.rows, size.columns] + (channels > 1 ? [channels] : []),
      elements: pictures.flatMap(\.pixels))
  }
}
