import Kernels
import Model
import Tensors
import TestSupport

/// Random logits for pixels of every number of bits and channels, ordinary and extreme ones.
struct PixelExample: CustomStringConvertible {
  let distribution: PixelDistribution
  let channels: Int
  let logits: Matrix
  let levels: [UInt8]
  let description: String

  /// Rows of logits in each example.
  static let rows = 24

  static let all: [PixelExample] = {
    var examples: [PixelExample] = []
    for isExtreme in [false, true] {
      examples.append(PixelExample(.binary, channels: 1, isExtreme: isExtreme, number: examples.count))
      for bits in 1...8 {
        for channels in 1...4 {
          examples.append(
            PixelExample(
              .logisticMixture(mixtures: 1 + (bits + channels) % 3, bits: bits), channels: channels,
              isExtreme: isExtreme, number: examples.count))
        }
      }
    }
    return examples
  }()

  init(_ distribution: PixelDistribution, channels: Int, isExtreme: Bool, number: Int) {
    self.distribution = distribution
    self.channels = channels
    description = "\(distribution), \(channels) channels\(isExtreme ? ", extreme" : "")"
    var random = KeyedGenerator(testCase: number)
    let columns = distribution.outputs(channels: channels)
    logits = random.matrix(rows: Self.rows, columns: columns, bound: 3)
    if isExtreme {
      // One logit in four, so that some rows have several. At -7 the slope of a log scale would jump.
      let extremes: [Float] = [1e4, -1e4, 1e3, -1e3, 40, -40, -7.01, -6.99]
      for index in 0..<logits.count where random.integer(below: 4) == 0 {
        logits.buffer[index] = extremes[random.integer(below: extremes.count)]
      }
    }
    // Both edges first, then any level.
    let top = UInt8(distribution.levels - 1)
    levels =
      [UInt8](repeating: 0, count: 4 * channels) + [UInt8](repeating: top, count: 4 * channels)
      + random.levels((Self.rows - 8) * channels, below: distribution.levels)
  }

  /// -log p of each row, and the gradient of their sum times `scale`.
  func loss(_ logits: Matrix, scale: Double = 1, threads: Int = 1) -> (nats: [Double], dLogits: Matrix) {
    let loss = PixelLoss(distribution: distribution, channels: channels)
    let nats = DoubleBuffer(count: logits.rows)
    let dLogits = Matrix(rows: logits.rows, columns: logits.columns)
    dLogits.fill(.nan)
    loss.evaluate(
      levels: levels, logits: logits, dLogits: dLogits, scale: scale, nats: nats,
      scratch: DoubleBuffer(count: loss.scratchCount(threads: threads)), pool: ThreadPool(threads: threads))
    return ((0..<logits.rows).map { nats[$0] }, dLogits)
  }

  var sampler: PixelSampler { PixelSampler(distribution: distribution, channels: channels) }
}
