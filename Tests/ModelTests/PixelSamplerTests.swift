import Foundation
import Model
import Tensors
import TestSupport
import Testing

struct PixelSamplerTests {
  @Test(arguments: PixelExample.all)
  func probabilitiesOfAChannelSumToOne(example: PixelExample) {
    for row in 0..<example.logits.rows {
      let pixel = Array(example.levels[(row * example.channels)..<((row + 1) * example.channels)])
      for channel in 0..<example.channels {
        let probabilities = example.sampler.probabilities(
          logits: example.logits, row: row, channel: channel, previous: pixel)
        let total = probabilities.reduce(0, +)
        #expect(probabilities.count == example.distribution.levels)
        #expect(probabilities.allSatisfy { $0 >= 0 && $0 <= 1 + 1e-6 })
        #expect(abs(total - 1) < 1e-6, "row \(row), channel \(channel): \(total)")
      }
    }
  }

  /// Pearson's test over all values of a pixel. The statistic has the mean k and the variance 2k for k + 1 values: with
  /// these seeds it is less than four standard deviations above.
  @Test(
    arguments: [
      (PixelDistribution.binary, 1), (.logisticMixture(mixtures: 3, bits: 5), 1),
      (.logisticMixture(mixtures: 2, bits: 8), 1), (.logisticMixture(mixtures: 2, bits: 2), 2),
      (.logisticMixture(mixtures: 3, bits: 2), 3), (.logisticMixture(mixtures: 2, bits: 1), 4),
    ], [1, 0.6])
  func samplesHaveTheirProbabilities(model: (distribution: PixelDistribution, channels: Int), temperature: Double) {
    let (distribution, channels) = model
    let example = PixelExample(distribution, channels: channels, isExtreme: false, number: 200)
    let count = 80_000
    for row in 0..<2 {
      var seen: [[UInt8]: Int] = [:]
      var generator = KeyedGenerator(testCase: 201 + row)
      var pixel = [UInt8](repeating: 0, count: channels)
      for _ in 0..<count {
        example.sampler.sample(
          logits: example.logits, row: row, temperature: temperature, generator: &generator, into: &pixel)
        seen[pixel, default: 0] += 1
      }
      // Dividing the logits of components by the temperature and multiplying the scales by it gives another model.
      let tempered = Matrix(rows: 1, columns: example.logits.columns)
      for column in 0..<tempered.columns { tempered[0, column] = example.logits[row, column] }
      temper(tempered, temperature, model)
      var statistic = 0.0
      var classes = 0
      var (rareExpected, rareSeen) = (0.0, 0)
      for (pixel, probability) in pixels(example.sampler, tempered, channels: channels) {
        let expected = Double(count) * probability
        let found = seen.removeValue(forKey: pixel) ?? 0
        if expected < 10 {
          rareExpected += expected
          rareSeen += found
        } else {
          statistic += (Double(found) - expected) * (Double(found) - expected) / expected
          classes += 1
        }
      }
      if rareExpected >= 10 {
        statistic += (Double(rareSeen) - rareExpected) * (Double(rareSeen) - rareExpected) / rareExpected
        classes += 1
      } else {
        // A mean below 10.
        #expect(rareSeen < 40)
      }
      let freedom = Double(classes - 1)
      #expect(seen.isEmpty)
      #expect(
        statistic < freedom + 4 * (2 * freedom).squareRoot(), "row \(row): \(statistic) for \(classes) classes")
    }
  }

  @Test func temperatureZeroTakesTheMostProbableClass() {
    let logits = Matrix(FloatBuffer([0.1, 0.2, 0.2, 0.1]), rows: 2, columns: 2)
    let sampler = PixelSampler(distribution: .binary, channels: 1)
    for number in 0..<20 {
      var generator = KeyedGenerator(testCase: number)
      for (row, expected) in [UInt8(1), 0].enumerated() {
        var level: [UInt8] = [9]
        sampler.sample(logits: logits, row: row, temperature: 0, generator: &generator, into: &level)
        #expect(level == [expected])
      }
    }
  }

  @Test func temperatureZeroTakesTheMeansOfTheMostProbableComponent() {
    // Two components of three channels; the second is likelier. Its means are -1, 0 and 0.5 before red moves green by
    // tanh(20) = 1 and blue by -1, and green blue by 0.
    let parts: [[Float]] = [
      [0, 1], [0.9, -1], [3, 3], [0, 20], [0.9, 0], [3, 3], [0, -20], [0.9, 0.5], [3, 3], [0, 0],
    ]
    let logits = Matrix(FloatBuffer(parts.flatMap { $0 }), rows: 1, columns: 20)
    let sampler = PixelSampler(distribution: .logisticMixture(mixtures: 2, bits: 3), channels: 3)
    var generator = KeyedGenerator(testCase: 0)
    var levels: [UInt8] = [9, 9, 9]
    sampler.sample(logits: logits, row: 0, temperature: 0, generator: &generator, into: &levels)
    // Red -1 is level 0; green 0 - 1 is level 0; blue 0.5 + 1 is beyond 1, level 7.
    #expect(levels == [0, 0, 7])
  }

  @Test func samplesAreLevelsEvenWithExtremeLogits() {
    for example in PixelExample.all {
      var generator = KeyedGenerator(testCase: 0)
      for row in 0..<example.logits.rows {
        for temperature in [0, 0.5, 1, 3] {
          var levels = [UInt8](repeating: 255, count: example.channels)
          example.sampler.sample(
            logits: example.logits, row: row, temperature: temperature, generator: &generator, into: &levels)
          #expect(levels.allSatisfy { Int($0) < example.distribution.levels }, "\(example)")
        }
      }
    }
  }

  /// Every value of a pixel with its probability.
  private func pixels(_ sampler: PixelSampler, _ logits: Matrix, channels: Int) -> [([UInt8], Double)] {
    var pixels: [([UInt8], Double)] = [([], 1)]
    for channel in 0..<channels {
      pixels = pixels.flatMap { previous, probability in
        sampler.probabilities(logits: logits, row: 0, channel: channel, previous: previous).enumerated().map {
          (previous + [UInt8($0.offset)], probability * $0.element)
        }
      }
    }
    return pixels
  }

  private func temper(
    _ logits: Matrix, _ temperature: Double, _ model: (distribution: PixelDistribution, channels: Int)
  ) {
    guard case .logisticMixture(let mixtures, _) = model.distribution else {
      for column in 0..<2 { logits[0, column] = Float(Double(logits[0, column]) / temperature) }
      return
    }
    for k in 0..<mixtures {
      logits[0, k] = Float(Double(logits[0, k]) / temperature)
      for channel in 0..<model.channels {
        let column = mixtures * (2 + channel * (model.channels == 3 ? 3 : 2)) + k
        logits[0, column] += Float(log(temperature))
      }
    }
  }
}
