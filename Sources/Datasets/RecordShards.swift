import Foundation

/// The TFRecord files of one set of images in Glow's layout: folders `train` and `validation` with files such as
/// `train/train-r08-s-0004-of-0120.tfrecords`, of images whose sides are 2 to the power of 8, number 4 of 120.
struct RecordShards {
  /// What the name of a file says.
  struct Name: Equatable {
    /// Base-2 logarithm of the sides of its images.
    let resolution: Int
    let shard: Int
    let shards: Int

    /// Reads `name`, of a file in the folder `folder`; nil if it is not in this layout.
    init?(_ name: String, in folder: String) {
      guard name.hasPrefix("\(folder)-r") && name.hasSuffix(RecordShards.ending) else { return nil }
      let parts = name.dropFirst(folder.count + 2).dropLast(RecordShards.ending.count).split(
        separator: "-", omittingEmptySubsequences: false)
      guard parts.count == 5, parts[1] == "s", parts[3] == "of", parts.allSatisfy({ !$0.hasPrefix("+") }),
        let resolution = Int(parts[0]), let shard = Int(parts[2]), let shards = Int(parts[4]),
        RecordShards.possibleResolutions.contains(resolution), (1...RecordShards.mostShards).contains(shards),
        (0..<shards).contains(shard)
      else { return nil }
      (self.resolution, self.shard, self.shards) = (resolution, shard, shards)
    }
  }

  static let ending = ".tfrecords"
  private static let possibleResolutions = 0...16
  private static let mostShards = 100_000
  private static let folders: [(name: String, split: Split)] = [("train", .train), ("validation", .test)]

  /// The files, training images first, each split's in the order of their numbers.
  let files: [PictureListing.File]

  /// Whether the folder at `path` holds a set in this layout.
  static func isLayout(_ path: String) -> Bool {
    folders.contains { folder, _ in
      // Who asks wants to know whether to read it so, not why not.
      do { return try !shards(in: folder, of: path).isEmpty } catch { return false }
    }
  }

  /// The files in this layout in the folder `folder` of the set at `root`; none if there is no such folder.
  private static func shards(
    in folder: String, of root: String
  ) throws(DatasetError) -> [(file: String, name: Name)] {
    let path = "\(root)/\(folder)"
    guard FileManager.default.fileExists(atPath: path) else { return [] }
    let names: [String]
    do { names = try FileManager.default.contentsOfDirectory(atPath: path) } catch {
      throw .unreadable(path: path, reason: error.localizedDescription)
    }
    return names.compactMap { file in Name(file, in: folder).map { (file, $0) } }
  }

  /// Lists the set in the folder `path`: of several resolutions the smallest that has images of at least `side`, or the
  /// largest if that is nil.
  ///
  /// - Throws: when there are no files of a split, or none so large, or when some are missing.
  init(_ path: String, side: Int?) throws(DatasetError) {
    let root = path.hasSuffix("/") ? String(path.dropLast()) : path
    var files: [PictureListing.File] = []
    for (folder, split) in Self.folders {
      let place = "\(root)/\(folder)"
      let found = try Self.shards(in: folder, of: root)
      let resolutions = Set(found.map(\.name.resolution)).sorted()
      guard let largest = resolutions.last else { throw .noShards(folder: place, prefix: folder) }
      let resolution = resolutions.first { 1 << $0 >= side ?? 1 << largest }
      guard let resolution else { throw .smallShards(folder: place, side: side ?? 0, largest: 1 << largest) }
      let shards = found.filter { $0.name.resolution == resolution }.sorted { $0.name.shard < $1.name.shard }
      let total = shards.map(\.name.shards).max() ?? 0
      let present = Set(shards.filter { $0.name.shards == total }.map(\.name.shard))
      guard present.count == total && shards.count == total else {
        throw .missingShards(
          folder: place, resolution: resolution, expected: total, missing: (0..<total).filter { !present.contains($0) },
          others: shards.count - present.count)
      }
      files += shards.map {
        PictureListing.File(path: "\(place)/\($0.file)", name: "\(folder)/\($0.file)", split: split)
      }
    }
    self.files = files
  }
}
