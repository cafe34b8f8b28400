import Foundation
import Kernels
import Model
import Orders
import Sampling
import Tensors
import Testing

/// Images so small that all of them can be listed: 2x2 binary, 16 in all.
@Suite struct EnumeratedImagesTests {
  let size = ImageSize(rows: 2, columns: 2)
  let network = AutoregressiveNetwork(ModelConfiguration(channels: 1, filters: 6, blocks: 1, distribution: .binary))

  /// p(x) of all 16 images; image i has bit p of i at pixel p.
  private func probabilities(_ order: GenerationOrder, _ parameters: FloatBuffer) -> [Double] {
    let pool = ThreadPool(threads: 1)
    let workspace = NetworkWorkspace(network: network, size: size, images: 16, retaining: .nothing)
    let levels = (0..<16).flatMap { image in (0..<4).map { UInt8(image >> $0 & 1) } }
    workspace.prepareInput(levels: levels, images: 16)
    network.prepare(parameters: parameters, workspace: workspace, pool: pool)
    network.forward(
      parameters: parameters, plan: OrderPlan(order: order, windows: network.windows), workspace: workspace, pool: pool)
    let loss = PixelLoss(distribution: .binary, channels: 1)
    let nats = DoubleBuffer(count: 64)
    loss.evaluate(
      levels: levels, logits: workspace.logits, nats: nats, scratch: DoubleBuffer(count: 0), pool: pool)
    return (0..<16).map { exp(-nats.sum(in: ($0 * 4)..<($0 * 4 + 4))) }
  }

  private func allOrders() throws -> [GenerationOrder] {
    var orders: [GenerationOrder] = []
    for a in 0..<4 {
      for b in 0..<4 where b != a {
        for c in 0..<4 where c != a && c != b {
          orders.append(try GenerationOrder(size: size, pixels: [a, b, c, 6 - a - b - c]))
        }
      }
    }
    return orders
  }

  @Test func probabilitiesOfAllImagesSumToOneUnderEveryOrder() throws {
    let parameters = CachedSamplerTests.noisyParameters(network)
    let orders = try allOrders()
    #expect(orders.count == 24)
    for order in orders {
      let total = probabilities(order, parameters).reduce(0, +)
      #expect(abs(total - 1) < 1e-6, "\(order.pixels): \(total)")
    }
  }

  /// Chi-square of 20,000 samples against the exact probabilities, 15 degrees of freedom: above 44.3 once in 10,000
  /// seeds; the seed is fixed.
  @Test(arguments: [0, 11, 23])
  func samplesFollowTheExactDistribution(orderIndex: Int) throws {
    let parameters = CachedSamplerTests.noisyParameters(network)
    let order = try allOrders()[orderIndex]
    let expected = probabilities(order, parameters)
    let count = 20_000
    let sampler = CachedSampler(network: network, size: size, images: count, pool: ThreadPool(threads: 1))
    var levels = [UInt8](repeating: 0, count: count * 4)
    #expect(
      sampler.complete(
        levels: &levels, missing: [0, 1, 2, 3], order: order, parameters: parameters, temperature: 1, seed: 77))
    var counts = [Int](repeating: 0, count: 16)
    for image in 0..<count { counts[(0..<4).reduce(0) { $0 | Int(levels[image * 4 + $1]) << $1 }] += 1 }
    var chiSquare = 0.0
    for (observed, probability) in zip(counts, expected) {
      let mean = probability * Double(count)
      chiSquare += (Double(observed) - mean) * (Double(observed) - mean) / mean
    }
    #expect(chiSquare < 44.3, "order \(order.pixels)")
    // The test has power: a uniform distribution is far from this one.
    let uniform = counts.reduce(0.0) { $0 + pow(Double($1) - Double(count) / 16, 2) / (Double(count) / 16) }
    #expect(uniform > 100)
  }
}
