import Foundation

/// A folder where the files of a set are looked for.
struct DatasetFolder {
  private let path: String

  init(_ path: String) { self.path = path }

  /// Whether there is such a folder.
  var exists: Bool {
    var isFolder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder.boolValue
  }

  /// The paths of the files called `names`; with `orPacked`, where only the name with `.gz` exists, that one.
  func paths(of names: [String], orPacked: Bool) throws(DatasetError) -> [String] {
    var paths: [String] = []
    var missing: [String] = []
    for name in names {
      let candidates = orPacked ? [name, name + ".gz"] : [name]
      if let found = candidates.first(where: { FileManager.default.fileExists(atPath: "\(path)/\($0)") }) {
        paths.append("\(path)/\(found)")
      } else {
        missing.append(candidates.joined(separator: " or "))
      }
    }
    guard missing.isEmpty else {
      throw .missingFiles(folder: path, folderExists: exists, files: missing)
    }
    return paths
  }
}
