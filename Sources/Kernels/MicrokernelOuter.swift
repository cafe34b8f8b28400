import CMicrokernels

/// The innermost loop of the weight gradient: some input channels by one panel of 16 output channels, summed over rows.
///
/// Six channels fill the 16 AVX registers. With AVX-512 eight do, half of the registers: a row's channels are then used up
/// in fewer visits to it, and they divide the usual numbers of channels. On a Zen 4 that is 14 to 18 % faster
/// (docs/kernels.md).
package enum MicrokernelOuter {
  /// Input channels of a full tile.
  static let channels = 6
  /// The same of `accumulateWide`, which needs AVX-512.
  package static let wideChannels = 8

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
    var tile = Tile(sum)
    var r = 0
    // Four rows a turn: the end of a loop over single rows comes too often to be foreseen, which cost a tenth of the time.
    while r + 4 <= rows {
      tile.add(x + Int(pixels[r]) * stride, dy + r * 16)
      tile.add(x + Int(pixels[r + 1]) * stride, dy + (r + 1) * 16)
      tile.add(x + Int(pixels[r + 2]) * stride, dy + (r + 2) * 16)
      tile.add(x + Int(pixels[r + 3]) * stride, dy + (r + 3) * 16)
      r += 4
    }
    while r < rows {
      tile.add(x + Int(pixels[r]) * stride, dy + r * 16)
      r += 1
    }
    tile.store(to: sum, from: firstStored)
  }

  /// `accumulate` for `wideChannels` channels.
  @inline(__always)
  package static func accumulateWide(
    pixels: UnsafePointer<Int32>, rows: Int, x: UnsafePointer<Float>, stride: Int, dy: UnsafePointer<Float>,
    sum: UnsafeMutablePointer<Float>, firstStored: Int
  ) {
    lmconv_accumulate_outer(pixels, rows, x, stride, dy, sum, firstStored)
  }

  /// The sums of six channels, in registers.
  private struct Tile {
    private var s00, s01, s10, s11, s20, s21, s30, s31, s40, s41, s50, s51: Vector

    @inline(__always)
    init(_ sum: UnsafeMutablePointer<Float>) {
      (s00, s01) = (sum.vector(at: 0), sum.vector(at: 8))
      (s10, s11) = (sum.vector(at: 16), sum.vector(at: 24))
      (s20, s21) = (sum.vector(at: 32), sum.vector(at: 40))
      (s30, s31) = (sum.vector(at: 48), sum.vector(at: 56))
      (s40, s41) = (sum.vector(at: 64), sum.vector(at: 72))
      (s50, s51) = (sum.vector(at: 80), sum.vector(at: 88))
    }

    /// Adds the products of one row's six channels and its 16 gradients.
    @inline(__always)
    mutating func add(_ row: UnsafePointer<Float>, _ dy: UnsafePointer<Float>) {
      let d0 = dy.vector(at: 0)
      let d1 = dy.vector(at: 8)
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
    }

    /// Stores channels `first` to 5.
    @inline(__always)
    func store(to sum: UnsafeMutablePointer<Float>, from first: Int) {
      if first <= 0 { Self.store(s00, s01, to: sum) }
      if first <= 1 { Self.store(s10, s11, to: sum + 16) }
      if first <= 2 { Self.store(s20, s21, to: sum + 32) }
      if first <= 3 { Self.store(s30, s31, to: sum + 48) }
      if first <= 4 { Self.store(s40, s41, to: sum + 64) }
      Self.store(s50, s51, to: sum + 80)
    }

    @inline(__always)
    private static func store(_ low: Vector, _ high: Vector, to sum: UnsafeMutablePointer<Float>) {
      sum.store(low, at: 0)
      sum.store(high, at: 8)
    }
  }

  /// The same for a single channel: images have fewer than six.
  @inline(__always)
  package static func accumulateOne(
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
