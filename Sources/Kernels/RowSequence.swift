/// Two passes over rows in one: the second takes each row right after the first, from the first-level cache. The bits are
/// those of one pass after the other.
struct RowSequence<First: RowWork, Second: RowWork>: RowWork {
  private let first: First
  private let second: Second

  init(_ first: First, _ second: Second) {
    precondition(first.rows == second.rows, "RowSequence: \(first.rows) rows, then \(second.rows)")
    self.first = first
    self.second = second
  }

  var rows: Int { first.rows }

  @inline(__always)
  func run(row: Int) {
    first.run(row: row)
    second.run(row: row)
  }
}
