import Foundation
import Kernels
import Tensors

/// The negative log likelihood of pixels, in nats, given the network's outputs for them; computed in double precision.
public struct PixelLoss: Sendable {
  private let distribution: PixelDistribution
  private let channels: Int

  /// The loss for pixels of `channels` channels.
  public init(distribution: PixelDistribution, channels: Int) {
    self.distribution = distribution
    self.channels = channels
  }

  /// Doubles of scratch memory that a call with `threads` threads needs.
  public func scratchCount(threads: Int) -> Int {
    switch distribution {
    case .binary: return 0
    case .logisticMixture(let mixtures, _): return threads * Self.scratchStride(mixtures: mixtures)
    }
  }

  /// Doubles from one thread's scratch memory to the next: a cache line more than are used, so that no two threads write to
  /// one line, wherever the first begins.
  private static func scratchStride(mixtures: Int) -> Int { (mixtures / 8 + 2) * 8 }

  /// Writes -log p of each pixel to the first `logits.rows` elements of `nats`.
  ///
  /// `levels` are `[rows, channels]`, `logits` `[rows, outputs]`. With `dLogits` `[rows, outputs]`, also overwrites it
  /// with `scale` times the gradient of the sum of all pixels' -log p. `scratch` has `scratchCount` elements.
  public func evaluate(
    levels: [UInt8], logits: Matrix, dLogits: Matrix? = nil, scale: Double = 1, nats: DoubleBuffer,
    scratch: DoubleBuffer, pool: ThreadPool
  ) {
    precondition(
      levels.count >= logits.rows * channels && nats.count >= logits.rows
        && logits.columns == distribution.outputs(channels: channels)
        && (dLogits == nil || dLogits?.rows == logits.rows && dLogits?.columns == logits.columns)
        && scratch.count >= scratchCount(threads: pool.threads),
      "PixelLoss: \(levels.count) levels, logits [\(logits.rows), \(logits.columns)], \(nats.count) sums")
    switch distribution {
    case .binary:
      pool.run(BinaryRows(levels: levels, logits: logits, dLogits: dLogits, scale: scale, nats: nats))
    case .logisticMixture(let mixtures, let bits):
      pool.run(
        MixtureRows(
          mixture: LogisticMixture(channels: channels, mixtures: mixtures, levels: 1 << bits), levels: levels,
          logits: logits, dLogits: dLogits, scale: scale, nats: nats, scratch: scratch))
    }
  }

  private static let tileRows = 64

  /// Two-way cross-entropy: -log p(v) = log(e^l0 + e^l1) - l_v.
  private struct BinaryRows: TiledWork {
    let levels: [UInt8]
    let logits: Matrix
    let dLogits: Matrix?
    let scale: Double
    let nats: DoubleBuffer

    var tiles: Int { (logits.rows + tileRows - 1) / tileRows }

    func run(tile: Int, thread: Int) {
      for row in (tile * tileRows)..<min((tile + 1) * tileRows, logits.rows) {
        let level = Int(levels[row])
        // How much the logit of the other class is larger: p(v) = sigmoid(-excess).
        let excess = Double(logits[row, 1 - level]) - Double(logits[row, level])
        let small = exp(-abs(excess))
        nats[row] = max(excess, 0) + log1p(small)
        if let dLogits {
          let missing = scale * (excess >= 0 ? 1 : small) / (1 + small)
          dLogits[row, level] = Float(-missing)
          dLogits[row, 1 - level] = Float(missing)
        }
      }
    }
  }

  private struct MixtureRows: TiledWork {
    let mixture: LogisticMixture
    let levels: [UInt8]
    let logits: Matrix
    let dLogits: Matrix?
    let scale: Double
    let nats: DoubleBuffer
    let scratch: DoubleBuffer

    var tiles: Int { (logits.rows + tileRows - 1) / tileRows }

    func run(tile: Int, thread: Int) {
      for row in (tile * tileRows)..<min((tile + 1) * tileRows, logits.rows) {
        nats[row] = mixture.negativeLogLikelihood(
          logits: logits, row: row, pixel: { levels[row * mixture.channels + $0] }, dLogits: dLogits, scale: scale,
          joint: scratch, offset: thread * scratchStride(mixtures: mixture.mixtures))
      }
    }
  }
}
