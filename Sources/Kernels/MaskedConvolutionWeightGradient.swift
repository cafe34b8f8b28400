import Tensors

/// dWeight[t, c, o] = sum over images and over the pixels p that see tap t of x[p + shift(t), c] * dy[p, o].
///
/// The rows are summed in two parts, the first and the second half of all blocks of pixels, each in order; the second is then
/// added to the first. Always two, so that the sum does not depend on the number of threads: two threads need only the
/// rows that they keep, of which the caches of their cores hold most (docs/kernels.md).
///
/// A tile is a part of the rows, one tap, up to five panels of 16 output channels and some input channels. Block by block of
/// the image, all panels take the block's rows while they are in the second-level cache. Overwrites dWeight, padding
/// included.
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
  /// Room for as much: the sum of the second part.
  let secondPart: UnsafeMutablePointer<Float>
  /// The pool's memory, a row for each thread.
  let scratch: UnsafeMutablePointer<Float>

  private static let panelsPerTile = 5
  /// A 1x1 layer has one tap, so its tiles are cut along channels, too, or a thread would wait for half of them.
  private static let pointwiseChannelsPerTile = 80

  private var panels: Int { Panels.count(outputs: outputs) }

  private var panelGroups: Int { (panels + Self.panelsPerTile - 1) / Self.panelsPerTile }

  private var channelsPerTile: Int { plan.taps == 1 ? Self.pointwiseChannelsPerTile : inputs }

  private var channelGroups: Int { (inputs + channelsPerTile - 1) / channelsPerTile }

  /// Blocks of pixels of all images.
  private var blocks: Int { images * plan.blocks }

  /// Parts that the rows are summed in.
  var parts: Int { min(2, blocks) }

  private var tilesOfPart: Int { plan.taps * panelGroups * channelGroups }

  var tiles: Int { parts * tilesOfPart }

  func run(tile: Int, thread: Int) {
    let part = tile / tilesOfPart
    let target = part == 0 ? dWeight : secondPart
    let tile = tile % tilesOfPart
    let tap = Int(plan.tapsByWork[tile / (panelGroups * channelGroups)])
    let firstPanel = tile / channelGroups % panelGroups * Self.panelsPerTile
    let endPanel = min(firstPanel + Self.panelsPerTile, panels)
    let firstChannel = tile % channelGroups * channelsPerTile
    let channels = firstChannel..<min(firstChannel + channelsPerTile, inputs)
    for panel in firstPanel..<endPanel {
      (sum(target, panel, tap) + firstChannel * Panels.width).update(repeating: 0, count: channels.count * Panels.width)
    }
    // The block's gradients of one panel, gathered: [rows, 16].
    let gathered = scratch + thread * ThreadPool.scratchFloats
    plan.starts.withUnsafeBufferPointer { starts in
      plan.pixels.withUnsafeBufferPointer { pixels in
        guard let lists = pixels.baseAddress else { return }
        for index in (blocks * part / parts)..<(blocks * (part + 1) / parts) {
          let (image, block) = index.quotientAndRemainder(dividingBy: plan.blocks)
          let imageX = x + (image * plan.inputPixels + Int(plan.shifts[tap])) * inputs
          let imageDY = dy + image * plan.outputPixels * outputs
          let begin = Int(starts[block * plan.taps + tap])
          let rows = Int(starts[block * plan.taps + tap + 1]) - begin
          guard rows > 0 else { continue }
          for panel in firstPanel..<endPanel {
            gather(lists + begin, rows, imageDY, panel, into: gathered)
            addRows(lists + begin, rows, imageX, gathered, sum(target, panel, tap), channels)
          }
        }
      }
    }
  }

  /// Where the gradient of a panel's tap is summed: `[inputs, 16]`.
  @inline(__always)
  private func sum(
    _ target: UnsafeMutablePointer<Float>, _ panel: Int, _ tap: Int
  ) -> UnsafeMutablePointer<Float> {
    target + (panel * plan.taps + tap) * inputs * Panels.width
  }

  /// Copies one panel of the listed rows of dy, padded with zeros.
  @inline(__always)
  private func gather(
    _ list: UnsafePointer<Int32>, _ rows: Int, _ imageDY: UnsafePointer<Float>, _ panel: Int,
    into gathered: UnsafeMutablePointer<Float>
  ) {
    let firstOutput = panel * Panels.width
    let width = min(Panels.width, outputs - firstOutput)
    if width < Panels.width { gathered.update(repeating: 0, count: rows * Panels.width) }
    for row in 0..<rows {
      let source = imageDY + Int(list[row]) * outputs + firstOutput
      let target = gathered + row * Panels.width
      if width == Panels.width {
        target.store(source.vector(at: 0), at: 0)
        target.store(source.vector(at: 8), at: 8)
      } else {
        target.update(from: source, count: width)
      }
    }
  }

  /// Adds the rows of one block to the input channels `channels`, a microkernel's number at a time. The last overlap those
  /// before when the channels are no multiple of it; what is there already is not stored again.
  @inline(__always)
  private func addRows(
    _ list: UnsafePointer<Int32>, _ rows: Int, _ imageX: UnsafePointer<Float>, _ panel: UnsafePointer<Float>,
    _ sum: UnsafeMutablePointer<Float>, _ channels: Range<Int>
  ) {
    var channel = channels.lowerBound
    if InstructionSet.hasAVX512 && channels.count >= MicrokernelOuter.wideChannels {
      while channel < channels.upperBound {
        let first = min(channel, channels.upperBound - MicrokernelOuter.wideChannels)
        MicrokernelOuter.accumulateWide(
          pixels: list, rows: rows, x: imageX + first, stride: inputs, dy: panel, sum: sum + first * Panels.width,
          firstStored: channel - first)
        channel += MicrokernelOuter.wideChannels
      }
    } else if channels.count >= MicrokernelOuter.channels {
      while channel < channels.upperBound {
        let first = min(channel, channels.upperBound - MicrokernelOuter.channels)
        MicrokernelOuter.accumulate(
          pixels: list, rows: rows, x: imageX + first, stride: inputs, dy: panel, sum: sum + first * Panels.width,
          firstStored: channel - first)
        channel += MicrokernelOuter.channels
      }
    } else {
      while channel < channels.upperBound {
        MicrokernelOuter.accumulateOne(
          pixels: list, rows: rows, x: imageX + channel, stride: inputs, dy: panel,
          sum: sum + channel * Panels.width)
        channel += 1
      }
    }
  }
}
