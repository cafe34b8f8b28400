/// Eight floats: one AVX register, two NEON registers.
package typealias Vector = SIMD8<Float>

extension UnsafePointer<Float> {
  /// The eight floats at `index`.
  @inline(__always) func vector(at index: Int) -> Vector {
    UnsafeRawPointer(self + index).loadUnaligned(as: Vector.self)
  }

  /// The `lanes` floats at `index`, then zeros.
  @inline(__always) func vector(at index: Int, lanes: Int) -> Vector {
    guard lanes < 8 else { return vector(at: index) }
    var vector = Vector.zero
    for lane in 0..<lanes { vector[lane] = self[index + lane] }
    return vector
  }
}

extension UnsafeMutablePointer<Float> {
  /// The eight floats at `index`.
  @inline(__always) func vector(at index: Int) -> Vector { UnsafePointer(self).vector(at: index) }

  /// The `lanes` floats at `index`, then zeros.
  @inline(__always) func vector(at index: Int, lanes: Int) -> Vector {
    UnsafePointer(self).vector(at: index, lanes: lanes)
  }

  /// Writes all of `vector` at `index`.
  @inline(__always) func store(_ vector: Vector, at index: Int) {
    UnsafeMutableRawPointer(self + index).storeBytes(of: vector, as: Vector.self)
  }

  /// Writes the first `lanes` of `vector` at `index`.
  @inline(__always) func store(_ vector: Vector, at index: Int, lanes: Int) {
    guard lanes < 8 else { return store(vector, at: index) }
    for lane in 0..<lanes { self[index + lane] = vector[lane] }
  }
}

/// Calls `body` for vectors of `count` channels: their first channel and how many there are.
@inline(__always)
func forEachVector(_ count: Int, _ body: (_ first: Int, _ lanes: Int) -> Void) {
  var first = 0
  while first + 8 <= count {
    body(first, 8)
    first += 8
  }
  if first < count { body(first, count - first) }
}

/// Rows of activations cut into tiles, for elementwise work.
protocol RowWork: TiledWork {
  /// Rows in all.
  var rows: Int { get }
  /// Does one row.
  func run(row: Int)
}

extension RowWork {
  static var tileRows: Int { 128 }

  var tiles: Int { (rows + Self.tileRows - 1) / Self.tileRows }

  @inline(__always)
  func run(tile: Int, thread: Int) {
    for row in (tile * Self.tileRows)..<min((tile + 1) * Self.tileRows, rows) { run(row: row) }
  }
}
