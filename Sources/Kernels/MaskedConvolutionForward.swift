import CMicrokernels
import Tensors

/// y[p] = bias + sum over the taps t that p sees of x[p + shift(t)] * w[t]: the locally masked convolution (paper,
/// section 4), and, with a transposed plan and transposed weights, its input gradient.
///
/// A tile is a block of pixels of one image and one panel of 16 output channels: so small that threads end at about the same
/// time. Inside, tap by tap, so that a tap's weights for the panel (20 KB at 320 inputs) stay in the first-level cache
/// while the block's rows pass. The tiles of a block follow each other, so its rows stay in the second-level cache. While one
/// tap is multiplied, the weights of the next are asked for: they may lie in the cache of another core, which has just
/// transposed them.
struct MaskedConvolutionForward: TiledWork {
  let plan: NeighbourPlan
  let images: Int
  let inputs: Int
  let outputs: Int
  /// `[images * pixels, inputs]`
  let x: UnsafePointer<Float>
  /// Panels of 16 outputs, `[panels, taps, inputs, 16]`.
  let weights: UnsafePointer<Float>
  /// Whether `y` is added to; otherwise it is overwritten.
  let adds: Bool
  /// `[outputs]`
  let bias: UnsafePointer<Float>?
  /// Weights on the mask, `[panels, taps, 16]`.
  let maskWeight: UnsafePointer<Float>?
  /// `[images * pixels, outputs]`
  let y: UnsafeMutablePointer<Float>

  private var panels: Int { Panels.count(outputs: outputs) }

  var tiles: Int { images * plan.blocks * panels }

  func run(tile: Int, thread: Int) {
    let image = tile / panels / plan.blocks
    let block = tile / panels % plan.blocks
    let panel = tile % panels
    let firstOutput = panel * Panels.width
    let width = min(Panels.width, outputs - firstOutput)
    let imageX = x + image * plan.inputPixels * inputs
    let imageY = y + image * plan.outputPixels * outputs
    let firstPixel = block * NeighbourPlan.blockPixels
    let endPixel = min(firstPixel + NeighbourPlan.blockPixels, plan.outputPixels)
    initialize(imageY, firstPixel..<endPixel, columns: firstOutput..<(firstOutput + width))
    plan.starts.withUnsafeBufferPointer { starts in
      plan.pixels.withUnsafeBufferPointer { list in
        plan.shifts.withUnsafeBufferPointer { shifts in
          for tap in 0..<plan.taps {
            let begin = Int(starts[block * plan.taps + tap])
            let end = Int(starts[block * plan.taps + tap + 1])
            guard begin < end, let base = list.baseAddress else { continue }
            let tapWeights = weights + (panel * plan.taps + tap) * inputs * Panels.width
            let tapX = imageX + Int(shifts[tap]) * inputs
            if let maskWeight {
              addMaskWeight(
                base + begin, end - begin, maskWeight + (panel * plan.taps + tap) * Panels.width,
                imageY + firstOutput, width)
            }
            if width == Panels.width {
              let next = nextTap(after: tap, block, starts)
              let nextWeights =
                weights + (next < plan.taps ? panel * plan.taps + next : (panel + 1) % panels * plan.taps) * inputs
                * Panels.width
              Self.accumulate(
                base + begin, end - begin, tapX, inputs, tapWeights, next: nextWeights, imageY + firstOutput, outputs)
            } else {
              Self.accumulateNarrow(
                base + begin, end - begin, tapX, inputs, tapWeights, imageY + firstOutput, outputs, width)
            }
          }
        }
      }
    }
  }

  /// The next tap that a pixel of the block sees; the number of taps after the last.
  @inline(__always)
  private func nextTap(after tap: Int, _ block: Int, _ starts: UnsafeBufferPointer<Int32>) -> Int {
    var next = tap + 1
    while next < plan.taps && starts[block * plan.taps + next] == starts[block * plan.taps + next + 1] { next += 1 }
    return next
  }

  /// The rows' values before the first tap.
  private func initialize(_ imageY: UnsafeMutablePointer<Float>, _ pixels: Range<Int>, columns: Range<Int>) {
    guard let bias = bias.map({ $0 + columns.lowerBound }) else {
      guard !adds else { return }
      for pixel in pixels {
        (imageY + pixel * outputs + columns.lowerBound).update(repeating: 0, count: columns.count)
      }
      return
    }
    for pixel in pixels {
      let row = imageY + pixel * outputs + columns.lowerBound
      if !adds {
        row.update(from: bias, count: columns.count)
      } else {
        forEachVector(columns.count) { first, lanes in
          row.store(row.vector(at: first, lanes: lanes) + bias.vector(at: first, lanes: lanes), at: first, lanes: lanes)
        }
      }
    }
  }

  /// Adds one tap's weight on the mask, `[16]`, to the pixels that see it.
  private func addMaskWeight(
    _ list: UnsafePointer<Int32>, _ count: Int, _ weight: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>,
    _ width: Int
  ) {
    for index in 0..<count {
      let row = y + Int(list[index]) * outputs
      forEachVector(width) { first, lanes in
        row.store(row.vector(at: first, lanes: lanes) + weight.vector(at: first, lanes: lanes), at: first, lanes: lanes)
      }
    }
  }

  /// One tap for a list of pixels and a full panel. `next` are the weights that are needed then, `[inputs, 16]`.
  @inline(__always)
  private static func accumulate(
    _ list: UnsafePointer<Int32>, _ count: Int, _ x: UnsafePointer<Float>, _ inputs: Int,
    _ weights: UnsafePointer<Float>, next: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ outputs: Int
  ) {
    // A line for each input, spread over the calls of the microkernel.
    let lines = (inputs * MicrokernelRows.rows + count - 1) / count
    var line = 0
    var first = 0
    while first < count {
      let asked = min(lines, inputs - line)
      lmconv_prefetch(next + line * Panels.width, asked)
      line += asked
      let p = tileRows(list + first, min(MicrokernelRows.rows, count - first))
      MicrokernelRows.accumulate(
        inputs: inputs, weights: weights,
        x: (
          x + p.0 * inputs, x + p.1 * inputs, x + p.2 * inputs, x + p.3 * inputs, x + p.4 * inputs, x + p.5 * inputs
        ),
        y: (
          y + p.0 * outputs, y + p.1 * outputs, y + p.2 * outputs, y + p.3 * outputs, y + p.4 * outputs,
          y + p.5 * outputs
        ))
      first += MicrokernelRows.rows
    }
  }

  /// One tap for a list of pixels and a last panel of fewer than 16 outputs: through a tile on the stack.
  private static func accumulateNarrow(
    _ list: UnsafePointer<Int32>, _ count: Int, _ x: UnsafePointer<Float>, _ inputs: Int,
    _ weights: UnsafePointer<Float>, _ y: UnsafeMutablePointer<Float>, _ outputs: Int, _ width: Int
  ) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: MicrokernelRows.rows * Panels.width) { storage in
      guard let tile = storage.baseAddress else { return }
      tile.update(repeating: 0, count: storage.count)
      var first = 0
      while first < count {
        let filled = min(MicrokernelRows.rows, count - first)
        for row in 0..<filled {
          (tile + row * Panels.width).update(from: y + Int(list[first + row]) * outputs, count: width)
        }
        let p = tileRows(list + first, filled)
        MicrokernelRows.accumulate(
          inputs: inputs, weights: weights,
          x: (
            x + p.0 * inputs, x + p.1 * inputs, x + p.2 * inputs, x + p.3 * inputs, x + p.4 * inputs, x + p.5 * inputs
          ),
          y: (
            tile, tile + Panels.width, tile + 2 * Panels.width, tile + 3 * Panels.width, tile + 4 * Panels.width,
            tile + 5 * Panels.width
          ))
        for row in 0..<filled {
          (y + Int(list[first + row]) * outputs).update(from: tile + row * Panels.width, count: width)
        }
        first += MicrokernelRows.rows
      }
    }
  }

  /// The pixels of a tile's six rows; a tile of fewer rows repeats its last.
  @inline(__always)
  private static func tileRows(_ list: UnsafePointer<Int32>, _ count: Int) -> (Int, Int, Int, Int, Int, Int) {
    let last = count - 1
    return (
      Int(list[0]), Int(list[min(1, last)]), Int(list[min(2, last)]), Int(list[min(3, last)]), Int(list[min(4, last)]),
      Int(list[last])
    )
  }
}
