import Foundation

/// A system call on a file or folder that did not succeed.
public struct FileFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file or folder.
  public let path: String
  /// What was attempted, such as `write`.
  public let operation: String
  /// The value of `errno`.
  public let code: Int32

  /// The failure of `operation` on `path`, with the calling thread's `errno` unless `code` is given.
  init(_ operation: String, _ path: String, code: Int32 = errno) {
    self.path = path
    self.operation = operation
    self.code = code
  }

  /// Why, without the path.
  public var reason: String {
    code == ENOENT ? "no such file or folder" : "cannot \(operation): \(String(cString: strerror(code)))"
  }

  /// What happened, where.
  public var description: String { "\(path): \(reason)" }
}

/// A file that is read from its beginning to its end.
final class ReadableFile {
  let path: String
  /// Size when it was opened.
  let byteCount: Int
  private let descriptor: Int32

  init(_ path: String) throws(FileFailure) {
    let opened = open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw FileFailure("open", path) }
    var status = stat()
    guard fstat(opened, &status) == 0 else {
      let failure = FileFailure("inspect", path)
      close(opened)
      throw failure
    }
    guard status.st_mode & S_IFMT == S_IFREG else {
      close(opened)
      throw FileFailure("read", path, code: status.st_mode & S_IFMT == S_IFDIR ? EISDIR : EINVAL)
    }
    self.path = path
    byteCount = Int(status.st_size)
    descriptor = opened
  }

  deinit { close(descriptor) }

  /// The next `count` bytes; fewer only where the file ends.
  func next(_ count: Int) throws(FileFailure) -> Data {
    var data = Data(count: count)
    var filled = 0
    while filled < count {
      let got = data.withUnsafeMutableBytes { bytes in
        bytes.baseAddress.map { read(descriptor, $0 + filled, count - filled) } ?? 0
      }
      if got < 0 && errno == EINTR { continue }
      guard got >= 0 else { throw FileFailure("read", path) }
      if got == 0 { return data.prefix(filled) }
      filled += got
    }
    return data
  }
}

/// Changes to files and folders that have reached the disk when the call returns.
package enum DurableFile {
  /// Creates or replaces the file at `path` with `chunks`, in order, and waits until they are on the disk.
  ///
  /// A failure can leave a part of the file: callers write where nothing is lost by that, and rename.
  package static func write(_ chunks: [Data], to path: String) throws(FileFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw FileFailure("create", path) }
    do throws(FileFailure) {
      for chunk in chunks { try append(chunk, to: descriptor, path: path) }
      guard fsync(descriptor) == 0 else { throw FileFailure("synchronize", path) }
    } catch {
      close(descriptor)
      throw error
    }
    // Network file systems report a full disk as late as here.
    guard close(descriptor) == 0 else { throw FileFailure("close", path) }
  }

  private static func append(_ chunk: Data, to descriptor: Int32, path: String) throws(FileFailure) {
    var written = 0
    while written < chunk.count {
      let count = chunk.withUnsafeBytes { bytes in
        bytes.baseAddress.map { Foundation.write(descriptor, $0 + written, chunk.count - written) } ?? 0
      }
      if count < 0 && errno == EINTR { continue }
      guard count > 0 else { throw FileFailure("write", path) }
      written += count
    }
  }

  /// Renames within one folder; it is on the disk after `synchronizeFolder`.
  static func rename(_ source: String, to target: String) throws(FileFailure) {
    guard Foundation.rename(source, target) == 0 else { throw FileFailure("rename to \(target)", source) }
  }

  /// Waits until the entries of the folder at `path` are on the disk.
  static func synchronizeFolder(_ path: String) throws(FileFailure) {
    let folder = path.isEmpty ? "." : path
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFailure("open", folder) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw FileFailure("synchronize", folder) }
  }

  /// Creates the folder at `path` and those above it, where there is none yet.
  static func createFolder(_ path: String) throws(FileFailure) {
    if path.isEmpty || isFolder(path) { return }
    let parent = parentFolder(of: path)
    try createFolder(parent)
    guard mkdir(path, 0o755) == 0 else { throw FileFailure("create", path) }
    try synchronizeFolder(parent)
  }

  /// The names in the folder at `path`, sorted, without `.` and `..`.
  static func names(in path: String) throws(FileFailure) -> [String] {
    guard let stream = opendir(path) else { throw FileFailure("list", path) }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if name != "." && name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw FileFailure("list", path) }
    return names.sorted()
  }

  /// Whether anything is at `path`; a link counts, wherever it points.
  static func exists(_ path: String) -> Bool {
    var status = stat()
    return lstat(path, &status) == 0
  }

  /// Whether a folder, or a link to one, is at `path`.
  static func isFolder(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  /// Removes the file, or the folder with all that is in it, at `path`. Links are removed, not followed.
  static func remove(_ path: String) throws(FileFailure) {
    var status = stat()
    guard lstat(path, &status) == 0 else { throw FileFailure("inspect", path) }
    if status.st_mode & S_IFMT == S_IFDIR {
      for name in try names(in: path) { try remove(path + "/" + name) }
      guard rmdir(path) == 0 else { throw FileFailure("remove", path) }
    } else {
      guard unlink(path) == 0 else { throw FileFailure("remove", path) }
    }
  }

  /// Removes what is at `path` where its remains do no harm. Returns why they are still there, if they are.
  @discardableResult
  package static func discard(_ path: String) -> FileFailure? {
    do throws(FileFailure) { try remove(path) } catch { return error }
    return nil
  }
}
