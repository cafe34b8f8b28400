import CMicrokernels

/// The innermost loop of forward and input gradient: up to six rows of the output, one panel of 16 output channels, one
/// tap. Twelve accumulators, two vectors of weights and one broadcast fill the 16 AVX registers. Where the processor has
/// AVX-512 the same loop runs with vectors of 16: half the instructions, and a broadcast is part of the multiplication. On
/// a Zen 4, whose multipliers are 256 bits wide all the same, that is 3 to 5 % faster (docs/kernels.md).
///
/// Each output element is one chain of fused multiply-adds in the order of the taps, then of the input channels,
/// starting from its present value. The chain is the same wherever a row lies in a tile, so results are bitwise
/// independent of tiling, batch and threads, and computing a single pixel gives the bits of the full pass.
package enum MicrokernelRows {
  /// Rows of a full tile.
  static let rows = 6

  /// y[r, 0..<16] += sum over c of x[r, c] * weights[c, 0..<16], for six rows given by their addresses.
  ///
  /// `weights` is `[inputs, 16]`, contiguous. A row given twice is computed twice from the same start: with fewer than
  /// six rows the caller repeats the last.
  @inline(__always)
  package static func accumulate(inputs: Int, weights: UnsafePointer<Float>, x: InputRows, y: OutputRows) {
    // With few inputs (the image's channels) a call takes longer than the loop.
    if InstructionSet.hasAVX512 && inputs >= 16 {
      lmconv_accumulate_rows(
        inputs, weights, x.0, x.1, x.2, x.3, x.4, x.5, y.0, y.1, y.2, y.3, y.4, y.5)
    } else {
      accumulatePortably(inputs: inputs, weights: weights, x: x, y: y)
    }
  }

  /// Addresses of six rows of the input.
  package typealias InputRows = (
    UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>,
    UnsafePointer<Float>
  )
  /// Addresses of six rows of the output.
  package typealias OutputRows = (
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
    UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>
  )

  /// What `accumulate` does, in Swift.
  @inline(__always)
  package static func accumulatePortably(
    inputs: Int, weights: UnsafePointer<Float>, x: InputRows, y: OutputRows
  ) {
    var s00 = y.0.vector(at: 0)
    var s01 = y.0.vector(at: 8)
    var s10 = y.1.vector(at: 0)
    var s11 = y.1.vector(at: 8)
    var s20 = y.2.vector(at: 0)
    var s21 = y.2.vector(at: 8)
    var s30 = y.3.vector(at: 0)
    var s31 = y.3.vector(at: 8)
    var s40 = y.4.vector(at: 0)
    var s41 = y.4.vector(at: 8)
    var s50 = y.5.vector(at: 0)
    var s51 = y.5.vector(at: 8)
    var c = 0
    while c < inputs {
      let w0 = weights.vector(at: c * 16)
      let w1 = weights.vector(at: c * 16 + 8)
      let a0 = Vector(repeating: x.0[c])
      s00 = s00.addingProduct(a0, w0)
      s01 = s01.addingProduct(a0, w1)
      let a1 = Vector(repeating: x.1[c])
      s10 = s10.addingProduct(a1, w0)
      s11 = s11.addingProduct(a1, w1)
      let a2 = Vector(repeating: x.2[c])
      s20 = s20.addingProduct(a2, w0)
      s21 = s21.addingProduct(a2, w1)
      let a3 = Vector(repeating: x.3[c])
      s30 = s30.addingProduct(a3, w0)
      s31 = s31.addingProduct(a3, w1)
      let a4 = Vector(repeating: x.4[c])
      s40 = s40.addingProduct(a4, w0)
      s41 = s41.addingProduct(a4, w1)
      let a5 = Vector(repeating: x.5[c])
      s50 = s50.addingProduct(a5, w0)
      s51 = s51.addingProduct(a5, w1)
      c += 1
    }
    y.0.store(s00, at: 0)
    y.0.store(s01, at: 8)
    y.1.store(s10, at: 0)
    y.1.store(s11, at: 8)
    y.2.store(s20, at: 0)
    y.2.store(s21, at: 8)
    y.3.store(s30, at: 0)
    y.3.store(s31, at: 8)
    y.4.store(s40, at: 0)
    y.4.store(s41, at: 8)
    y.5.store(s50, at: 0)
    y.5.store(s51, at: 8)
  }
}
