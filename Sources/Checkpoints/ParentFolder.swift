/// The folder that holds what is at `path`: `runs` for `runs/digits`, `.` for `digits`, and `/` for itself.
///
/// Not Foundation's `deletingLastPathComponent`, which ends the process where the path is a single character.
package func parentFolder(of path: String) -> String {
  var end = path.endIndex
  func dropLast(while condition: (Character) -> Bool) {
    while end > path.startIndex, condition(path[path.index(before: end)]) { end = path.index(before: end) }
  }
  dropLast { $0 == "/" }
  dropLast { $0 != "/" }
  guard end > path.startIndex else { return path.hasPrefix("/") ? "/" : "." }
  dropLast { $0 == "/" }
  return end > path.startIndex ? String(path[..<end]) : "/"
}
