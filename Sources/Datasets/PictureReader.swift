import CZlib
import Foundation
import Imaging
import Orders
import Synchronization

/// Reads pictures from files and makes images of one size and kind of them.
struct PictureReader {
  /// Images of one file and one split.
  struct Images {
    let path: String
    let file: DataFile
    let split: Split
    let size: ImageSize
    let channels: Int
    let count: Int
    /// [image, row, column, channel]
    let pixels: [UInt8]
  }

  /// Pictures that are decoded at once, by all cores.
  private static let filesAtOnce = 64

  let listing: PictureListing
  let options: PictureOptions

  /// Passes the images of `splits` to `body`, file by file in the order of their names.
  ///
  /// - Returns: pictures that were left out because they cannot be used; none unless `options` allow it.
  /// - Throws: when pictures cannot be used, all of them, unless they may be left out.
  func read(
    _ splits: Set<Split>, _ body: (Images) throws(DatasetError) -> Void
  ) throws(DatasetError) -> [BadPicture] {
    var bad: [BadPicture] = []
    var first: (file: String, size: ImageSize, channels: Int)?
    for batch in batches(splits) {
      for result in prepared(batch, splits) {
        switch result {
        case .failure(let picture): bad.append(picture)
        case .success(let all):
          for images in all {
            let expected = first ?? (images.path, images.size, images.channels)
            first = expected
            if let reason = Self.mismatch(images, expected) {
              bad.append(BadPicture(path: images.path, description: "\(images.path): \(reason)"))
            } else if bad.isEmpty || options.skipsBad {
              try body(images)
            }
          }
        }
      }
    }
    guard bad.isEmpty || options.skipsBad else { throw .badPictures(bad) }
    return bad
  }

  private static func mismatch(
    _ images: Images, _ expected: (file: String, size: ImageSize, channels: Int)
  ) -> String? {
    guard images.size == expected.size else {
      return "\(images.size) pixels, \(expected.file) has \(expected.size); set data.size to scale all to one size"
    }
    guard images.channels == expected.channels else {
      let kinds = [1: "grey", 3: "RGB"]
      return "\(kinds[images.channels] ?? ""), \(expected.file) is \(kinds[expected.channels] ?? ""); "
        + "set data.channels to 1 or 3 to make all grey or RGB"
    }
    return nil
  }

  /// Files that may be of `splits`, in groups to be read at once. An array may be large: it is a group of its own.
  private func batches(_ splits: Set<Split>) -> [[PictureListing.File]] {
    var batches: [[PictureListing.File]] = []
    for file in listing.files where file.split.map(splits.contains) ?? true {
      if !file.isArray, let last = batches.last, last.count < Self.filesAtOnce, !last[0].isArray {
        batches[batches.count - 1].append(file)
      } else {
        batches.append([file])
      }
    }
    return batches
  }

  private func prepared(
    _ files: [PictureListing.File], _ splits: Set<Split>
  ) -> [Result<[Images], BadPicture>] {
    let results = Mutex([Result<[Images], BadPicture>?](repeating: nil, count: files.count))
    DispatchQueue.concurrentPerform(iterations: files.count) { index in
      let result = self.prepared(files[index], splits)
      results.withLock { $0[index] = result }
    }
    return results.withLock { $0.compactMap(\.self) }
  }

  private func prepared(_ file: PictureListing.File, _ splits: Set<Split>) -> Result<[Images], BadPicture> {
    do {
      var files: [DataFile] = []
      let bytes = try DatasetFile.contents(at: file.path, name: file.name, &files)
      guard !file.isArray else { return .success(try arrays(bytes, file, files[0], splits)) }
      let split = file.split ?? options.split(ofChecksum: files[0].checksum)
      guard splits.contains(split) else { return .success([]) }
      let image = try prepared(try Self.decoded(bytes, path: file.path), path: file.path)
      return .success([
        Images(
          path: file.path, file: files[0], split: split, size: image.size, channels: image.channels, count: 1,
          pixels: image.pixels)
      ])
    } catch {
      return .failure(BadPicture(path: file.path, description: "\(error)"))
    }
  }

  private static func decoded(_ bytes: [UInt8], path: String) throws -> PNGImage {
    // What it is counts, not what it is called: pictures from the web often have the wrong ending.
    if bytes.starts(with: [0xFF, 0xD8, 0xFF]) { return try PNGImage(jpeg: bytes, path: path) }
    if bytes.starts(with: [0x89, 0x50, 0x4E, 0x47]) { return try PNGImage(png: bytes, path: path) }
    throw BadPicture(
      path: path, description: "\(path): \(bytes.isEmpty ? "an empty file" : "neither a PNG nor a JPEG file")")
  }

  /// `picture` in the size and channels that are asked for.
  private func prepared(_ picture: PNGImage, path: String) throws(BadPicture) -> PNGImage {
    func refusal(_ reason: String) -> BadPicture { BadPicture(path: path, description: "\(path): \(reason)") }
    guard var image = picture.withoutOpaqueAlpha else {
      throw refusal("has transparent pixels; put it on a background first")
    }
    if options.channels == 1 { image = image.grey }
    if options.channels == 3 { image = image.converted(toChannels: 3) }
    guard let side = options.side else { return image }
    guard image.rows >= side && image.columns >= side else {
      throw refusal("\(image.size) pixels, smaller than data.size, \(side)x\(side)")
    }
    let square = ImageSize(rows: side, columns: side)
    return image.centerCrop(toProportionsOf: square).areaResized(to: square)
  }

  // MARK: Arrays

  private func arrays(
    _ bytes: [UInt8], _ file: PictureListing.File, _ dataFile: DataFile, _ splits: Set<Split>
  ) throws -> [Images] {
    var sources: [(path: String, array: NPYArray)] = []
    if file.name.lowercased().hasSuffix(".npy") {
      sources = [(file.path, try NPYArray(npy: bytes, path: file.path))]
    } else {
      let archive = try NPZArchive(npz: bytes, path: file.path)
      for member in archive.members {
        let path = "\(file.path)/\(member.name)"
        let contents = try archive.bytes(of: member)
        // Labels and the like, of whatever type.
        guard try NPYArray.shape(npy: contents, path: path).count >= 3 else { continue }
        sources.append((path, try NPYArray(npy: contents, path: path)))
      }
      guard !sources.isEmpty else {
        throw BadPicture(path: file.path, description: "\(file.path): no array of pictures, [N,H,W] or [N,H,W,C]")
      }
    }
    return try sources.flatMap { try images(of: $0.array, path: $0.path, file, dataFile, splits) }
  }

  private func images(
    of array: NPYArray, path: String, _ file: PictureListing.File, _ dataFile: DataFile, _ splits: Set<Split>
  ) throws -> [Images] {
    let shape = array.shape
    if shape.count == 4 && shape[3] > 4 && [1, 3].contains(shape[1]) {
      throw NPYError.wrongShape(
        path: path, found: shape, expected: "channels last, [N,H,W,C]; save array.transpose(0, 2, 3, 1)")
    }
    guard (3...4).contains(shape.count), shape.allSatisfy({ $0 > 0 }), shape.count == 3 || shape[3] <= 4 else {
      throw NPYError.wrongShape(path: path, found: shape, expected: "[N,H,W] or [N,H,W,C] with C from 1 to 4")
    }
    let size = ImageSize(rows: shape[1], columns: shape[2])
    let channels = shape.count == 4 ? shape[3] : 1
    let values = size.pixels * channels
    var found: [Split: (size: ImageSize, channels: Int, count: Int, pixels: [UInt8])] = [:]
    for index in 0..<shape[0] {
      let pixels = Array(array.elements[(index * values)..<((index + 1) * values)])
      let checksum = pixels.withUnsafeBufferPointer { UInt32(crc32_z(0, $0.baseAddress, z_size_t($0.count))) }
      let split = file.split ?? options.split(ofChecksum: checksum)
      guard splits.contains(split) else { continue }
      let image = try prepared(
        PNGImage(size: size, channels: channels, pixels: pixels), path: "\(path)[\(index)]")
      found[split, default: (image.size, image.channels, 0, [])].pixels += image.pixels
      found[split]?.count += 1
    }
    return Split.allCases.compactMap { split in
      found[split].map {
        Images(
          path: path, file: dataFile, split: split, size: $0.size, channels: $0.channels, count: $0.count,
          pixels: $0.pixels)
      }
    }
  }
}
