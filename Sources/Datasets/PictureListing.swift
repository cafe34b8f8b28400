import Foundation
import Imaging

/// The files of a set of pictures: one or several in each.
struct PictureListing {
  /// One file.
  struct File {
    /// Where it is.
    let path: String
    /// Its path from the set's folder.
    let name: String
    /// The split that its place says it is of; nil where its contents decide.
    let split: Split?

    /// Whether it holds an array of pictures, or several, and not one picture.
    var isArray: Bool { PictureListing.arrayEndings.contains { name.lowercased().hasSuffix($0) } }
    /// Whether it holds pictures in records.
    var isRecords: Bool { name.hasSuffix(RecordShards.ending) }
    /// Whether it is one picture.
    var isPicture: Bool { !isArray && !isRecords }
  }

  static let arrayEndings = [".npy", ".npz"]

  /// The files, in the order of their names' bytes; at least one.
  let files: [File]

  /// Lists `path`: a file, or a folder with all its folders. Names that begin with a dot, and files with other endings,
  /// are passed over. If the folder holds both `train` and `test`, each a folder or an array, these are the splits.
  ///
  /// - Throws: when there is nothing at `path`, a folder cannot be read, or no file is of a kind that is read.
  init(_ path: String) throws(DatasetError) {
    var status = stat()
    guard stat(path, &status) == 0 else { throw .unreadable(path: path, reason: Self.systemReason()) }
    guard status.st_mode & S_IFMT == S_IFDIR else {
      guard Self.isRead(path) else { throw .noPictures(path: path) }
      files = [File(path: path, name: path.split(separator: "/").last.map(String.init) ?? path, split: nil)]
      return
    }
    let root = path.hasSuffix("/") ? String(path.dropLast()) : path
    var names: [String] = []
    var seen: Set<FolderIdentity> = []
    try Self.list(root, below: "", &names, &seen)
    names.sort { $0.utf8.lexicographicallyPrecedes($1.utf8) }

    let splits: [Split?] = names.map(Self.split)
    let isDivided = splits.contains(.train) && splits.contains(.test)
    files = zip(names, splits).compactMap { name, split in
      isDivided && split == nil ? nil : File(path: "\(root)/\(name)", name: name, split: isDivided ? split : nil)
    }
    guard !files.isEmpty else { throw .noPictures(path: path) }
  }

  /// The files of `shards`.
  init(_ shards: RecordShards) { files = shards.files }

  /// Lists the set `set`, of pictures, at `path`.
  ///
  /// - Throws: as the listing of its kind does.
  init(_ set: ImageSet, at path: String, options: PictureOptions) throws(DatasetError) {
    if set == .tfrecords {
      self.init(try RecordShards(path, side: options.side))
    } else {
      try self.init(path)
    }
  }

  private static func isRead(_ name: String) -> Bool {
    let name = name.lowercased()
    return (PNGImage.pictureEndings + arrayEndings).contains { name.hasSuffix($0) }
  }

  /// The split that the first part of `name` says, as in `train/cats/1.png` and `test.npy`.
  private static func split(of name: String) -> Split? {
    let parts = name.split(separator: "/", maxSplits: 1)
    if parts.count == 2 { return Split(rawValue: String(parts[0])) }
    guard let ending = arrayEndings.first(where: { name.hasSuffix($0) }) else { return nil }
    return Split(rawValue: String(name.dropLast(ending.count)))
  }

  private struct FolderIdentity: Hashable {
    let device: UInt64
    let inode: UInt64
  }

  private static func list(
    _ root: String, below folder: String, _ names: inout [String], _ seen: inout Set<FolderIdentity>
  ) throws(DatasetError) {
    let path = folder.isEmpty ? root : "\(root)/\(folder)"
    var status = stat()
    guard stat(path, &status) == 0 else { throw .unreadable(path: path, reason: systemReason()) }
    // A link to a folder above would go round for ever.
    guard seen.insert(FolderIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))).inserted else {
      return
    }
    guard let stream = opendir(path) else { throw .unreadable(path: path, reason: systemReason()) }
    defer { closedir(stream) }
    var folders: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      guard !name.hasPrefix(".") else { continue }
      let relative = folder.isEmpty ? name : "\(folder)/\(name)"
      guard stat("\(root)/\(relative)", &status) == 0 else {
        // A link that leads nowhere is a picture that is missing.
        if isRead(name) { names.append(relative) }
        continue
      }
      if status.st_mode & S_IFMT == S_IFDIR {
        folders.append(relative)
      } else if isRead(name) {
        names.append(relative)
      }
    }
    // Which of two ways to one folder is taken must not depend on the file system.
    for name in folders.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
      try list(root, below: name, &names, &seen)
    }
  }

  private static func systemReason() -> String { String(cString: strerror(errno)).lowercased() }
}
