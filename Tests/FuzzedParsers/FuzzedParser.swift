import Checkpoints
import Compression
import Configuration
import Datasets
import Foundation
import Imaging
import Orders
import TensorFlowFormats
import TestSupport

/// The parsers of what comes from outside the program, which must end in an error with a message or in a value, whatever
/// they are given: never in a trap, a hang or the memory's end.
package enum FuzzedParser: String, CaseIterable, Sendable {
  case idxImages = "idx-images"
  case idxLabels = "idx-labels"
  case gzip
  case cifar
  case png
  case jpeg
  case npy
  case npz
  case packed
  case records
  case example
  case region
  case safetensors
  case checkpoint
  case configuration
  case override
  case order
  case compressed
  case chunk

  /// Parses `bytes`, and where they carry a checksum that does not fit also as if it did: otherwise nearly every change
  /// would be refused for the checksum alone. What was accepted must survive being written and read again.
  ///
  /// - Returns: whether `bytes` were accepted as they are.
  @discardableResult
  package func check(_ bytes: [UInt8]) -> Bool {
    if let resealed = resealed(bytes), resealed != bytes { accepts(resealed) }
    return accepts(bytes)
  }

  @discardableResult
  private func accepts(_ bytes: [UInt8]) -> Bool {
    do {
      try parse(bytes)
      return true
    } catch {
      precondition(!"\(error)".isEmpty, "\(rawValue): an error without a message")
      return false
    }
  }

  private func parse(_ bytes: [UInt8]) throws {
    switch self {
    case .idxImages:
      let images = try IDX.images(bytes, path: "x")
      precondition(images.pixels.count == images.count * images.size.pixels)
    case .idxLabels:
      let labels = try IDX.labels(bytes, path: "x")
      precondition(labels.allSatisfy { $0 <= 9 })
    case .gzip: _ = try IDX.images(try DatasetFile.unpack(bytes, path: "x.gz"), path: "x.gz")
    case .cifar:
      var (pixels, labels): ([UInt8], [UInt8]) = ([], [])
      try CIFAR10.appendRecords(bytes, path: "x", pixels: &pixels, labels: &labels)
      precondition(pixels.count == labels.count * 3072)
    case .png: try parsePicture(bytes)
    case .jpeg:
      // Large ones would only slow down the search.
      let picture = try PNGImage(jpeg: bytes, path: "x.jpg", limitPixels: 4096)
      precondition(picture.grey.channels == 1)
    case .npy:
      let array = try NPYArray(npy: bytes, path: "x.npy")
      let again = try NPYArray(npy: array.encoded, path: "x.npy")
      precondition(again == array)
    case .npz:
      let archive = try NPZArchive(npz: bytes, path: "x.npz")
      for member in archive.members {
        let contents = try archive.bytes(of: member)
        guard try NPYArray.shape(npy: contents, path: member.name).count >= 3 else { continue }
        _ = try NPYArray(npy: contents, path: member.name)
      }
    case .packed:
      let folder = try Workplace()
      let path = folder.path + "/x"
      try Data(bytes).write(to: URL(fileURLWithPath: path))
      for split in Split.allCases {
        let set = try PackedSet.load(path: path, split: split)
        let pixels = try set.pixels
        precondition(pixels.count == set.count * set.valuesPerImage)
      }
    case .records:
      var rest = bytes[...]
      var reader = RecordReader<Never>(limitBytes: 1 << 20) { count in
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
      }
      var fault: (any Error)?
      // As with pictures that may be left out: what is wrong with one record does not end the reading.
      while let record = reader.next() {
        precondition(record.offset < bytes.count)
        do { _ = try ImageExample.picture(try record.payload.get()) } catch {
          precondition(!"\(error)".isEmpty)
          fault = fault ?? error
        }
      }
      if let fault { throw fault }
    case .example:
      let picture = try ImageExample.picture(bytes)
      precondition(picture.grey.channels <= 2)
    case .region:
      // File names are not looked up.
      let regions = Self.text(bytes).split(separator: "\n").map(String.init).filter {
        !$0.lowercased().hasSuffix(".png")
      }
      let size = ImageSize(rows: 12, columns: 9)
      let mask = try PixelMask(regions: regions, size: size)
      precondition(mask.isMissing.contains(true) == !regions.isEmpty)
    case .safetensors:
      let file = try SafetensorsFile(data: Data(bytes), path: "x")
      let again = try SafetensorsFile(data: try file.encoded(), path: "x")
      precondition(again.tensors == file.tensors && again.metadata == file.metadata)
    case .checkpoint: _ = try CheckpointRecord(text: Data(bytes), path: "x")
    case .configuration: try checkWritten(RunConfiguration(yaml: Self.text(bytes), path: "x"))
    case .override: try checkWritten(RunConfiguration(contentsOf: nil, overrides: [Self.text(bytes)]))
    case .order:
      let size = ImageSize(rows: 4, columns: 5)
      let order = try OrderFile.parse(Self.text(bytes), path: "x", size: size)
      let again = try OrderFile.parse(OrderFile.text(of: order), path: "x", size: size)
      precondition(again == order)
    case .compressed:
      let file = try CompressedImages(parsing: bytes, path: "x")
      for chunk in file.chunks.indices.prefix(100) { _ = file.damage(ofChunk: chunk)?.description }
    case .chunk: try SmallCodec.shared.decode(bytes)
    }
  }

  private func parsePicture(_ bytes: [UInt8]) throws {
    let picture = try PNGImage(png: bytes, path: "x.png")
    // Large ones would only slow down the search.
    guard picture.size.pixels <= 4096 else { return }
    let again = try PNGImage(png: try picture.encoded(), path: "x.png")
    precondition(again == picture)
    _ = try PixelMask.mask(picture, path: "x.png", size: picture.size)
  }

  private func checkWritten(_ configuration: RunConfiguration) throws {
    let again = try RunConfiguration(yaml: configuration.yaml, path: "x")
    precondition(again.yaml == configuration.yaml)
  }

  private static func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

  /// `bytes` with the checksums that their format asks for; nil where it has none, or they are too short for it.
  private func resealed(_ bytes: [UInt8]) -> [UInt8]? {
    switch self {
    case .png: return Seals.png(bytes)
    case .npz: return Seals.npz(bytes)
    case .packed: return Seals.packed(bytes)
    case .records: return Seals.records(bytes)
    case .compressed: return Seals.compressedImages(bytes)
    case .checkpoint:
      do { return [UInt8](try CheckpointRecord.sealed(Data(bytes), path: "x")) } catch { return nil }
    default: return nil
    }
  }
}
