import CZlib
import Foundation
import Imaging
import Orders
import Synchronization
import TensorFlowFormats

/// Reads pictures from files and makes images of one size and kind of them.
struct PictureReader {
  /// Images of one file, or of a record of it, and one split.
  struct Images {
    /// Where they are, for messages.
    let path: String
    let split: Split
    let size: ImageSize
    let channels: Int
    let count: Int
    /// [image, row, column, channel]
    let pixels: [UInt8]
  }

  /// What was read.
  struct Summary {
    /// Pictures that were left out because they cannot be used; none unless that is allowed.
    fileprivate(set) var skipped: [BadPicture] = []
    /// Files with images of the splits that were asked for.
    fileprivate(set) var files: [DataFile] = []
  }

  /// Pictures that are decoded at once, by all cores.
  private static let picturesAtOnce = 64
  /// Bytes of records that are in memory at once, but for a single record.
  private static let recordBytesAtOnce = 1 << 24

  let listing: PictureListing
  let options: PictureOptions

  /// Passes the images of `splits` to `body`, file by file in the order of the listing.
  ///
  /// - Throws: when pictures cannot be used, all of them, unless they may be left out.
  func read(
    _ splits: Set<Split>, _ body: (Images) throws(DatasetError) -> Void
  ) throws(DatasetError) -> Summary {
    var summary = Summary()
    var first: (path: String, size: ImageSize, channels: Int)?
    /// Whether images were passed on.
    func take(_ result: Result<Images, BadPicture>) throws(DatasetError) -> Bool {
      switch result {
      case .failure(let picture): summary.skipped.append(picture)
      case .success(let images):
        let expected = first ?? (images.path, images.size, images.channels)
        first = expected
        if let reason = Self.mismatch(images, expected) {
          summary.skipped.append(BadPicture(path: images.path, description: "\(images.path): \(reason)"))
        } else if summary.skipped.isEmpty || options.skipsBad {
          try body(images)
          return true
        }
      }
      return false
    }
    for batch in batches(splits) {
      if let split = batch[0].split, batch[0].isRecords {
        var isUsed = false
        let file = try readRecords(batch[0], split) { result throws(DatasetError) in
          if try take(result) { isUsed = true }
        }
        if isUsed { summary.files.append(file) }
        continue
      }
      for result in Self.concurrently(batch, { prepared($0, splits) }) {
        switch result {
        case .failure(let picture): _ = try take(.failure(picture))
        case .success(let (file, all)):
          var isUsed = false
          for images in all where try take(.success(images)) { isUsed = true }
          if isUsed { summary.files.append(file) }
        }
      }
    }
    guard summary.skipped.isEmpty || options.skipsBad else { throw .badPictures(summary.skipped) }
    return summary
  }

  private static func mismatch(
    _ images: Images, _ expected: (path: String, size: ImageSize, channels: Int)
  ) -> String? {
    guard images.size == expected.size else {
      return "\(images.size) pixels, \(expected.path) has \(expected.size); set data.size to scale all to one size"
    }
    guard images.channels == expected.channels else {
      let kinds = [1: "grey", 3: "RGB"]
      return "\(kinds[images.channels] ?? ""), \(expected.path) is \(kinds[expected.channels] ?? ""); "
        + "set data.channels to 1 or 3 to make all grey or RGB"
    }
    return nil
  }

  /// Files that may be of `splits`, in groups to be read at once. Arrays and records may be large: they are groups of their
  /// own.
  private func batches(_ splits: Set<Split>) -> [[PictureListing.File]] {
    var batches: [[PictureListing.File]] = []
    for file in listing.files where file.split.map(splits.contains) ?? true {
      if file.isPicture, let last = batches.last, last.count < Self.picturesAtOnce, last[0].isPicture {
        batches[batches.count - 1].append(file)
      } else {
        batches.append([file])
      }
    }
    return batches
  }

  /// What `body` makes of each of `items`, by all cores.
  private static func concurrently<Item: Sendable, Made: Sendable>(
    _ items: [Item], _ body: @Sendable (Item) -> Made
  ) -> [Made] {
    let results = Mutex([Made?](repeating: nil, count: items.count))
    withoutActuallyEscaping(body) { body in
      DispatchQueue.concurrentPerform(iterations: items.count) { index in
        let made = body(items[index])
        results.withLock { $0[index] = made }
      }
    }
    return results.withLock { $0.compactMap(\.self) }
  }

  private func prepared(
    _ file: PictureListing.File, _ splits: Set<Split>
  ) -> Result<(DataFile, [Images]), BadPicture> {
    do {
      var files: [DataFile] = []
      let bytes = try DatasetFile.contents(at: file.path, name: file.name, &files)
      guard !file.isArray else { return .success((files[0], try arrays(bytes, file, splits))) }
      let split = file.split ?? options.split(ofChecksum: files[0].checksum)
      guard splits.contains(split) else { return .success((files[0], [])) }
      let image = try prepared(try PNGImage(picture: bytes, path: file.path), path: file.path)
      return .success((files[0], [Self.images(image, split, path: file.path)]))
    } catch {
      return .failure(BadPicture(path: file.path, description: "\(error)"))
    }
  }

  private static func images(_ image: PNGImage, _ split: Split, path: String) -> Images {
    Images(
      path: path, split: split, size: image.size, channels: image.channels, count: 1, pixels: image.pixels)
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

  // MARK: Records

  /// Passes the images of `file`, of `split`, to `take`, record by record; one that is damaged does not keep from those
  /// behind it, as long as these can be found.
  private func readRecords(
    _ file: PictureListing.File, _ split: Split, _ take: (Result<Images, BadPicture>) throws(DatasetError) -> Void
  ) throws(DatasetError) -> DataFile {
    func bad(_ reason: String) -> BadPicture { BadPicture(path: file.path, description: reason) }
    let stream: FileStream
    do { stream = try FileStream(path: file.path) } catch {
      try take(.failure(bad("\(error)")))
      return DataFile(name: file.name, bytes: 0, checksum: 0)
    }
    var reader = RecordReader { count throws(DatasetError) in try stream.read(count) }
    var records: [Record] = []
    var failure: BadPicture?
    repeat {
      records.removeAll(keepingCapacity: true)
      var bytes = 0
      while records.count < Self.picturesAtOnce && bytes < Self.recordBytesAtOnce && failure == nil {
        do {
          guard let record = try reader.next() else { break }
          records.append(record)
          if case .success(let payload) = record.payload { bytes += payload.count }
        } catch { failure = bad("\(error)") }
      }
      for result in Self.concurrently(records, { prepared($0, of: file, split) }) { try take(result) }
    } while !records.isEmpty && failure == nil
    if let failure { try take(.failure(failure)) }
    return stream.file(name: file.name)
  }

  private func prepared(
    _ record: Record, of file: PictureListing.File, _ split: Split
  ) -> Result<Images, BadPicture> {
    let path = "\(file.path): byte \(record.offset): record \(record.number)"
    let picture: PNGImage
    do { picture = try ImageExample.picture(try record.payload.get()) } catch {
      return .failure(BadPicture(path: path, description: "\(path): \(error)"))
    }
    do { return .success(Self.images(try prepared(picture, path: path), split, path: path)) } catch {
      return .failure(error)
    }
  }

  // MARK: Arrays

  private func arrays(
    _ bytes: [UInt8], _ file: PictureListing.File, _ splits: Set<Split>
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
    return try sources.flatMap { try images(of: $0.array, path: $0.path, file, splits) }
  }

  private func images(
    of array: NPYArray, path: String, _ file: PictureListing.File, _ splits: Set<Split>
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
          path: path, split: split, size: $0.size, channels: $0.channels, count: $0.count,
          pixels: $0.pixels)
      }
    }
  }
}
