import Foundation
import Kernels
import Model
import Tensors
import TestSupport
import Testing

struct PixelLossTests {
  @Test(arguments: PixelExample.all)
  func gradientIsTheSlopeOfTheLoss(example: PixelExample) {
    let (_, dLogits) = example.loss(example.logits)
    for column in 0..<dLogits.columns {
      // Each row depends on its own logits alone, so all rows move at once. A scale of e^-7 bends the loss within 1e-3.
      func moved(_ sign: Float) -> Matrix {
        let moved = Matrix(rows: example.logits.rows, columns: example.logits.columns)
        moved.copy(from: example.logits)
        for row in 0..<moved.rows {
          let logit = example.logits[row, column]
          moved[row, column] = logit + sign * max(2e-5, 4 * abs(logit).ulp)
        }
        return moved
      }
      let (above, below) = (moved(1), moved(-1))
      let (high, low) = (example.loss(above).nats, example.loss(below).nats)
      for row in 0..<dLogits.rows {
        let step = Double(above[row, column]) - Double(below[row, column])
        let slope = (high[row] - low[row]) / step
        let found = Double(dLogits[row, column])
        let error = abs(found - slope) / max(1, abs(slope))
        #expect(error < 1e-4, "row \(row), logit \(column): \(found), slope \(slope)")
      }
    }
  }

  @Test(arguments: PixelExample.all)
  func nothingIsEverNotANumber(example: PixelExample) {
    let (nats, dLogits) = example.loss(example.logits)
    #expect(nats.allSatisfy { $0.isFinite && $0 >= 0 })
    #expect(dLogits.values.allSatisfy { $0.isFinite })
  }

  /// By the chain rule of probability, through the sampler's conditional distributions.
  @Test(arguments: PixelExample.all)
  func lossIsTheProductOfTheSamplersProbabilities(example: PixelExample) {
    let (nats, _) = example.loss(example.logits)
    for row in 0..<example.logits.rows {
      let pixel = Array(example.levels[(row * example.channels)..<((row + 1) * example.channels)])
      var expected = 0.0
      for channel in 0..<example.channels {
        let probabilities = example.sampler.probabilities(
          logits: example.logits, row: row, channel: channel, previous: pixel)
        expected -= log(probabilities[Int(pixel[channel])])
      }
      // A probability of 1e-300 is still a number, its conditional ones may not be.
      guard expected < 600 else { continue }
      #expect(abs(nats[row] - expected) < 1e-9 * max(1, expected), "row \(row): \(nats[row]), expected \(expected)")
    }
  }

  @Test(arguments: [2, 3], [false, true])
  func allPixelsTogetherHaveProbabilityOne(channels: Int, isExtreme: Bool) {
    let distribution = PixelDistribution.logisticMixture(mixtures: 3, bits: 2)
    let example = PixelExample(distribution, channels: channels, isExtreme: isExtreme, number: 100 + channels)
    let loss = PixelLoss(distribution: distribution, channels: channels)
    let pixels = 1 << (2 * channels)
    let levels = (0..<pixels).flatMap { pixel in (0..<channels).map { UInt8(pixel >> (2 * $0) & 3) } }
    let nats = DoubleBuffer(count: pixels)
    let scratch = DoubleBuffer(count: loss.scratchCount(threads: 1))
    for row in 0..<example.logits.rows {
      let same = Matrix(rows: pixels, columns: example.logits.columns)
      for pixel in 0..<pixels {
        for column in 0..<same.columns { same[pixel, column] = example.logits[row, column] }
      }
      loss.evaluate(levels: levels, logits: same, nats: nats, scratch: scratch, pool: ThreadPool(threads: 1))
      let total = (0..<pixels).reduce(0) { $0 + exp(-nats[$1]) }
      #expect(abs(total - 1) < 1e-6, "row \(row): \(total)")
    }
  }

  @Test func scaleMultipliesTheGradientAlone() {
    let example = PixelExample.all[20]
    let (nats, dLogits) = example.loss(example.logits)
    let scaled = example.loss(example.logits, scale: 0.25)
    #expect(scaled.nats == nats)
    #expect(scaled.dLogits.values == dLogits.values.map { $0 / 4 })
  }

  @Test func lossesAreTheSameBitsOnAnyNumberOfThreads() {
    for example in PixelExample.all {
      let (nats, dLogits) = example.loss(example.logits)
      let threaded = example.loss(example.logits, threads: 3)
      #expect(threaded.nats == nats)
      #expect(threaded.dLogits.values == dLogits.values)
    }
  }
}
