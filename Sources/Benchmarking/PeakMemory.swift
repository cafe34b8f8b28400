import Foundation

/// The most memory this process has had resident at once.
public enum PeakMemory {
  /// Bytes, or 0 where the system does not tell.
  ///
  /// The kernel's own mark: `getrusage` also counts what a parent had before it started this program.
  public static func bytes() -> Int {
    let label = "VmHWM:"
    guard let status = FileManager.default.contents(atPath: "/proc/self/status") else { return 0 }
    for line in String(decoding: status, as: UTF8.self).split(separator: "\n") where line.hasPrefix(label) {
      return line.dropFirst(label.count).split(whereSeparator: \.isWhitespace).first.flatMap { Int($0) }.map {
        $0 * 1024
      }
        ?? 0
    }
    return 0
  }
}
