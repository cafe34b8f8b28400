import Foundation
import Kernels
import Tensors
import Testing

import Optimization

struct AdamTests {
  private static func random(_ count: Int, slot: Int, scale: Float = 1) -> [Float] {
    var random = KeyedGenerator(seed: 5, purpose: .initialization, slot: slot)
    return (0..<count).map { _ in (random.uniform() - 0.5) * scale }
  }

  /// The formulas of `torch.optim.Adam` (and `AdamW` with weight decay), one element after the other in double precision.
  private struct PlainAdam {
    var p: [Double]
    var m: [Double]
    var v: [Double]

    init(_ p: [Float]) {
      self.p = p.map { Double($0) }
      m = Array(repeating: 0, count: p.count)
      v = m
    }

    mutating func update(_ gradient: [Float], t: Int, rate: Double, weightDecay: Double) {
      for (i, g) in gradient.map({ Double($0) }).enumerated() {
        p[i] *= 1 - rate * weightDecay
        m[i] = 0.9 * m[i] + 0.1 * g
        v[i] = 0.999 * v[i] + 0.001 * g * g
        let denominator = v[i].squareRoot() / (1 - pow(0.999, Double(t))).squareRoot() + 1e-8
        p[i] -= rate / (1 - pow(0.9, Double(t))) * m[i] / denominator
      }
    }
  }

  @Test(arguments: [0, 0.1])
  func agreesWithThePlainFormulas(weightDecay: Double) {
    let count = 37
    let parameters = FloatBuffer(Self.random(count, slot: 0))
    var plain = PlainAdam(parameters.values)
    var adam = Adam(Adam.Configuration(weightDecay: weightDecay), ranges: [0..<count])
    for t in 1...20 {
      let gradient = Self.random(count, slot: t, scale: t < 10 ? 1 : 1000)
      adam.update(parameters, gradient: FloatBuffer(gradient), learningRate: 0.01)
      plain.update(gradient, t: t, rate: 0.01, weightDecay: weightDecay)
    }
    #expect(adam.updates == 20)
    for (found, expected) in zip(parameters.values, plain.p) {
      // 20 updates of at most 0.1, each with a few roundings of 2^-24 relative.
      #expect(abs(Double(found) - expected) < 2e-6, "\(found), expected \(expected)")
    }
  }

  /// One parameter 1, gradients 0.5 and -0.25, rate 0.1: worked out by hand.
  @Test func firstStepsAreThoseWorkedOutByHand() {
    let parameters = FloatBuffer([1])
    var adam = Adam(ranges: [0..<1])
    adam.update(parameters, gradient: FloatBuffer([0.5]), learningRate: 0.1)
    // m^ / sqrt(v^) = 0.5 / 0.5: one learning rate.
    #expect(abs(parameters[0] - 0.9) < 1e-6)
    adam.update(parameters, gradient: FloatBuffer([-0.25]), learningRate: 0.1)
    // m^ = (0.9 * 0.05 - 0.025) / 0.19, v^ = (0.999 * 0.00025 + 0.0000625) / 0.001999.
    #expect(abs(parameters[0] - (0.9 - 0.1 * 0.105263158 / 0.395184)) < 1e-5)
  }

  @Test(arguments: [[0..<100], [0..<3, 3..<60, 60..<61, 61..<100], [0..<8, 8..<99, 99..<100]])
  func bitsDoNotDependOnHowTheVectorIsCut(ranges: [Range<Int>]) {
    func run(_ shards: [[Range<Int>]]) -> [Float] {
      let parameters = FloatBuffer(Self.random(100, slot: 0))
      var optimizers = shards.map { Adam(Adam.Configuration(weightDecay: 0.01), ranges: $0) }
      for t in 1...5 {
        let gradient = FloatBuffer(Self.random(100, slot: t))
        for index in optimizers.indices {
          optimizers[index].update(parameters, gradient: gradient, learningRate: 0.1, gradientScale: 0.7)
        }
      }
      return parameters.values
    }
    let single = run((0..<100).map { [$0..<($0 + 1)] })
    #expect(run([ranges]) == single)
    #expect(run(ranges.map { [$0] }) == single)
  }

  @Test func bitsDoNotDependOnTheNumberOfThreads() {
    let count = 70_001
    func run(_ pool: ThreadPool?) -> [Float] {
      let parameters = FloatBuffer(Self.random(count, slot: 0))
      var adam = Adam(Adam.Configuration(weightDecay: 0.01), ranges: [1..<66_000, 66_001..<count])
      for t in 1...3 {
        adam.update(
          parameters, gradient: FloatBuffer(Self.random(count, slot: t)), learningRate: 0.1, gradientScale: 0.7,
          pool: pool)
      }
      return parameters.values
    }
    let single = run(nil)
    for threads in 1...3 { #expect(run(ThreadPool(threads: threads)) == single) }
  }

  @Test func elementsOutsideTheRangesStayAsTheyAre() {
    let parameters = FloatBuffer([1, 1, 1, 1])
    var adam = Adam(ranges: [1..<2, 3..<4])
    adam.update(parameters, gradient: FloatBuffer([1, 1, 1, 1]), learningRate: 0.1)
    #expect(parameters[0] == 1 && parameters[2] == 1)
    #expect(parameters[1] < 1 && parameters[3] < 1)
    #expect(adam.firstMoment.count == 2)
  }

  @Test func scalingTheGradientIsClippingIt() {
    let (clipped, scaled) = (FloatBuffer([1, 2]), FloatBuffer([1, 2]))
    var (first, second) = (Adam(ranges: [0..<2]), Adam(ranges: [0..<2]))
    first.update(clipped, gradient: FloatBuffer([4, 8]), learningRate: 0.1, gradientScale: 0.25)
    second.update(scaled, gradient: FloatBuffer([1, 2]), learningRate: 0.1)
    #expect(clipped.values == scaled.values)
    #expect(first.secondMoment.storage.values == second.secondMoment.storage.values)
  }
}
