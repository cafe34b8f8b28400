/// The candidate that `name` is most likely a misspelling of, nil when none is close.
///
/// Close means at most one edit for every three letters. A candidate's last component counts alone too, one edit
/// dearer, so that a key in the wrong section finds its place. The first of equally close candidates is taken.
func nearestName(to name: String, among candidates: [String]) -> String? {
  // No valid name is near a text this long, and comparing would take long.
  guard name.count <= 100 else { return nil }
  let last = lastComponent(of: name)
  var best: (distance: Int, candidate: String)?
  for candidate in candidates {
    let distance = min(
      editDistance(name, candidate),
      editDistance(last, lastComponent(of: candidate)) + (candidate.contains(".") ? 1 : 0))
    if distance < best?.distance ?? .max { best = (distance, candidate) }
  }
  guard let best, best.distance <= max(1, last.count / 3) else { return nil }
  return best.candidate
}

private func lastComponent(of path: String) -> String {
  path.lastIndex(of: ".").map { String(path[path.index(after: $0)...]) } ?? path
}

/// Fewest insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
func editDistance(_ a: String, _ b: String) -> Int {
  let a = Array(a)
  let b = Array(b)
  // rows[i][j] is the distance between the first i characters of a and the first j of b.
  var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
  for i in 0...a.count {
    for j in 0...b.count {
      if i == 0 || j == 0 {
        rows[i][j] = i + j
        continue
      }
      var distance = min(rows[i - 1][j], rows[i][j - 1]) + 1
      distance = min(distance, rows[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1))
      if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
        distance = min(distance, rows[i - 2][j - 2] + 1)
      }
      rows[i][j] = distance
    }
  }
  return rows[a.count][b.count]
}
