import Tensors

/// dWeight[t, c, o] = sum over images and over the pixels p that see tap t of x[p + shift(t), c] * dy[p, o].
///
/// A tile is one panel of 16 output channels and one tap, and adds all rows in order, so the sum is never split over
/// threads. Overwrites dWeight, padding included.
struct MaskedConvolutionWeightGradient: TiledWork {
  let plan: NeighbourPlan
  let images: Int
  let inputs: Int
  let outputs: Int
  /// `[images * pixels, inputs]`
  let x: UnsafePointer<Float>
  /// `[images * pixels, outputs]`
  let dy: UnsafePointer<Float>
  /// Panels of 16 outputs, `[panels, taps, inputs, 16]`.
  let dWeight: UnsafeMutablePointer<Float>

  var tiles: Int { Panels.count(outputs: outputs) * plan.taps }

  func run(tile: Int, thread: Int) {
    let firstOutput = tile / plan.taps * Panels.width
    let tap = tile % plan.taps
    let width = min(Panels.width, outputs - firstOutput)
    let sum = dWeight + tile * inputs * Panels.width  // [inputs, 16]
    sum.update(repeating: 0, count: inputs * Panels.width)
    withUnsafeTemporaryAllocation(
      byteCount: NeighbourPlan.blockPixels * Panels.width * MemoryLayout<Float>.stride, alignment: 64
    ) { storage in
      // The block's gradients of this panel, gathered: [rows, 16].
      guard let panel = storage.bindMemory(to: Float.self).baseAddress else { return }
      if width < Panels.width { panel.update(repeating: 0, count: NeighbourPlan.blockPixels * Panels.width) }
      plan.starts.withUnsafeBufferPointer { starts in
        plan.pixels.withUnsafeBufferPointer { pixels in
          guard let lists = pixels.baseAddress else { return }
          for image in 0..<images {
            let imageX = x + (image * plan.size.pixels + Int(plan.shifts[tap])) * inputs
            let imageDY = dy + image * plan.size.pixels * outputs + firstOutput
            for block in 0..<plan.blocks {
              let begin = Int(starts[block * plan.taps + tap])
              let rows = Int(starts[block * plan.taps + tap + 1]) - begin
              guard rows > 0 else { continue }
              let list = lists + begin
              for row in 0..<rows {
                (panel + row * Panels.width).update(from: imageDY + Int(list[row]) * outputs, count: width)
              }
              addRows(list, rows, imageX, panel, sum)
            }
          }
        }
      }
    }
  }

  /// Adds the rows of one block to all input channels, six at a time. The last six overlap those before when the
  /// channels are no multiple of six; what is there already is not stored again.
  @inline(__always)
  private func addRows(
    _ list: UnsafePointer<Int32>, _ rows: Int, _ imageX: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
    _ sum: UnsafeMutablePointer<Float>
  ) {
    guard inputs >= MicrokernelOuter.channels else {
      for channel in 0..<inputs {
        MicrokernelOuter.accumulateOne(
          pixels: list, rows: rows, x: imageX + channel, stride: inputs, dy: panel,
          sum: sum + channel * Panels.width)
      }
      return
    }
    var channel = 0
    while channel < inputs {
      let first = min(channel, inputs - MicrokernelOuter.channels)
      MicrokernelOuter.accumulate(
        pixels: list, rows: rows, x: imageX + first, stride: inputs, dy: panel, sum: sum + first * Panels.width,
        firstStored: channel - first)
      channel += MicrokernelOuter.channels
    }
  }
}
