/// The innermost loop of the weight gradient: six input channels by one panel of 16 output channels, summed over rows.
enum MicrokernelOuter {
  /// Input channels of a full tile.
  static let channels = 6

  /// sum[i, 0..<16] += sum over rows r of x[pixels[r], i] * dy[r, 0..<16], for i in 0..<6; only channels `i` at or after
  /// `firstStored` are stored.
  ///
  /// `x` points at the tile's first channel, rows are `stride` floats apart; `dy` is `[rows, 16]`, contiguous; `sum` is
  /// `[6, 16]`, contiguous. Rows are added in order, one chain for each element.
  @inline(__always)
  static func accumulate(
    pixels: UnsafePointer<Int32>, rows: Int, x: UnsafePointer<Float>, stride: Int, dy: UnsafePointer<Float>,
    sum: UnsafeMutablePointer<Float>, firstStored: Int
  ) {
    var s00 = sum.vector(at: 0)
    var s01 = sum.vector(at: 8)
    var s10 = sum.vector(at: 16)
    var s11 = sum.vector(at: 24)
    var s20 = sum.vector(at: 32)
    var s21 = sum.vector(at: 40)
    var s30 = sum.vector(at: 48)
    var s31 = sum.vector(at: 56)
    var s40 = sum.vector(at: 64)
    var s41 = sum.vector(at: 72)
    var s50 = sum.vector(at: 80)
    var s51 = sum.vector(at: 88)
    var r = 0
    while r < rows {
      let row = x + Int(pixels[r]) * stride
      let d0 = dy.vector(at: r * 16)
      let d1 = dy.vector(at: r * 16 + 8)
      let a0 = Vector(repeating: row[0])
      s00 = s00.addingProduct(a0, d0)
      s01 = s01.addingProduct(a0, d1)
      let a1 = Vector(repeating: row[1])
      s10 = s10.addingProduct(a1, d0)
      s11 = s11.addingProduct(a1, d1)
      let a2 = Vector(repeating: row[2])
      s20 = s20.addingProduct(a2, d0)
      s21 = s21.addingProduct(a2, d1)
      let a3 = Vector(repeating: row[3])
      s30 = s30.addingProduct(a3, d0)
      s31 = s31.addingProduct(a3, d1)
      let a4 = Vector(repeating: row[4])
      s40 = s40.addingProduct(a4, d0)
      s41 = s41.addingProduct(a4, d1)
      let a5 = Vector(repeating: row[5])
      s50 = s50.addingProduct(a5, d0)
      s51 = s51.addingProduct(a5, d1)
      r += 1
    }
    if firstStored <= 0 {
      sum.store(s00, at: 0)
      sum.store(s01, at: 8)
    }
    if firstStored <= 1 {
      sum.store(s10, at: 16)
      sum.store(s11, at: 24)
    }
    if firstStored <= 2 {
      sum.store(s20, at: 32)
      sum.store(s21, at: 40)
    }
    if firstStored <= 3 {
      sum.store(s30, at: 48)
      sum.store(s31, at: 56)
    }
    if firstStored <= 4 {
      sum.store(s40, at: 64)
      sum.store(s41, at: 72)
    }
    sum.store(s50, at: 80)
    sum.store(s51, at: 88)
  }

  /// The same for a single channel: images have fewer than six.
  @inline(__always)
  static func accumulateOne(
    pixels: UnsafePointer<Int32>, rows: Int, x: UnsafePointer<Float>, stride: Int, dy: UnsafePointer<Float>,
    sum: UnsafeMutablePointer<Float>
  ) {
    var s0 = sum.vector(at: 0)
    var s1 = sum.vector(at: 8)
    var r = 0
    while r < rows {
      let a = Vector(repeating: x[Int(pixels[r]) * stride])
      s0 = s0.addingProduct(a, dy.vector(at: r * 16))
      s1 = s1.addingProduct(a, dy.vector(at: r * 16 + 8))
      r += 1
    }
    sum.store(s0, at: 0)
    sum.store(s1, at: 8)
  }
}
