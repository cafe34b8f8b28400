import Training

/// Rows of words in columns.
enum TextTable {
  /// The rows, each on a line of its own, with columns as wide as their widest word; those in `rightAligned` end at a
  /// common edge. A word of several lines goes on below itself.
  static func text(_ rows: [[String]], rightAligned: Set<Int> = []) -> String {
    var widths: [Int] = []
    for (column, word) in rows.flatMap({ $0.enumerated() }) {
      if column == widths.count { widths.append(0) }
      widths[column] = max(widths[column], word.count)
    }
    return rows.map { row in
      var line = ""
      for (column, word) in row.enumerated() {
        let isLast = column == row.count - 1
        let padding = String(repeating: " ", count: max(0, widths[column] - word.count))
        if rightAligned.contains(column) {
          line += padding + word
        } else if isLast {
          line += word.split(separator: "\n", omittingEmptySubsequences: false)
            .joined(separator: "\n" + String(repeating: " ", count: line.count))
        } else {
          line += word + padding
        }
        if !isLast { line += "  " }
      }
      return line
    }.joined(separator: "\n")
  }
}

/// Numbers with their units.
enum Quantity {
  /// `count` bytes, such as `1.5 GB`.
  static func bytes(_ count: Int) -> String {
    let units = ["kB", "MB", "GB", "TB", "PB"]
    guard count >= 1000 else { return "\(count) bytes" }
    var value = Double(count) / 1000
    var unit = 0
    while value >= 999.5 && unit < units.count - 1 {
      value /= 1000
      unit += 1
    }
    return "\(TrainingProgress.number(value, value < 9.95 ? 1 : 0)) \(units[unit])"
  }

  /// `seconds`, such as `3.5 ms`, `1.25 s`, `42 s` or `1:02:03`.
  static func seconds(_ seconds: Double) -> String {
    if seconds < 1 { return "\(TrainingProgress.number(seconds * 1000, seconds < 0.01 ? 1 : 0)) ms" }
    if seconds < 10 { return "\(TrainingProgress.number(seconds, 2)) s" }
    return seconds < 60 ? "\(TrainingProgress.number(seconds, 0)) s" : TrainingProgress.duration(seconds)
  }

  /// `count` and `noun`, which gets an s unless there is one of it.
  static func count(_ count: Int, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }
}
