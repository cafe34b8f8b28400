/// Elementwise work on a flat vector, cut into tiles.
protocol FlatWork: TiledWork {
  /// Elements in all.
  var count: Int { get }
  /// Does elements `begin` to `begin + count - 1`.
  func run(from begin: Int, count: Int)
}

extension FlatWork {
  /// 128 KiB of each vector: many tiles in a large network's parameters, one in what is not worth waking a thread for.
  static var tileElements: Int { 1 << 15 }

  var tiles: Int { (count + Self.tileElements - 1) / Self.tileElements }

  @inline(__always)
  func run(tile: Int, thread: Int) {
    let begin = tile * Self.tileElements
    run(from: begin, count: min(Self.tileElements, count - begin))
  }
}
