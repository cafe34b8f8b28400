import Datasets
import Evaluation
import Kernels
import Model
import Orders
import Tensors
import Testing

struct ReceptiveFieldTests {
  private static let size = ImageSize(rows: 5, columns: 4)
  private static let network = AutoregressiveNetwork(
    ModelConfiguration(
      channels: 1, filters: 8, blocks: 1, kernel: 3, dilation: 2, normalization: .pono, dropout: 0, bias: true,
      maskWeight: false, distribution: .logisticMixture(mixtures: 2, bits: 8)))
  private static let parameters = network.initialParameters(seed: 3)
  private static let pool = ThreadPool(threads: 2)

  private static func levels(_ seed: UInt64, images: Int) -> [UInt8] {
    var generator = KeyedGenerator(seed: seed, purpose: .sampling, step: 0, slot: 0)
    return (0..<(images * size.pixels)).map { _ in UInt8(1 + generator.integer(below: 254)) }
  }

  @Test(arguments: [0, 1, 2]) func onlyEarlierPixelsHaveAnInfluence(index: Int) {
    let order = GenerationOrder.random(index: index, seed: 5, size: Self.size)
    let positions = order.positions
    for pixel in [0, 7, 19] {
      let field = ReceptiveField.measure(
        pixel: pixel, order: order, levels: Self.levels(1, images: 2), network: Self.network,
        parameters: Self.parameters, seed: 1, pool: Self.pool)
      for other in 0..<Self.size.pixels where positions[other] >= positions[pixel] {
        #expect(field.sensitivity[other] == 0, "pixel \(pixel), later pixel \(other)")
      }
      // Of the first pixel of an order nothing is known; others see their neighbours.
      let hasEarlierNeighbour = (0..<Self.size.pixels).contains { other in
        positions[other] < positions[pixel] && abs(other / 4 - pixel / 4) <= 1 && abs(other % 4 - pixel % 4) <= 1
      }
      #expect(field.pixels > 0 || !hasEarlierNeighbour)
      #expect(field.pixels <= Int(positions[pixel]))
    }
  }

  /// The derivative of the weighted outputs, by changing a level up and down.
  @Test func sensitivityIsTheDerivativeOfTheOutputs() throws {
    let order = try GenerationOrder(base: .rasterScan, size: Self.size)
    let levels = Self.levels(2, images: 1)
    let (pixel, seed) = (14, UInt64(9))
    let field = ReceptiveField.measure(
      pixel: pixel, order: order, levels: levels, network: Self.network, parameters: Self.parameters, seed: seed,
      pool: Self.pool)

    let workspace = NetworkWorkspace(network: Self.network, size: Self.size, images: 1, retaining: .nothing)
    let plan = OrderPlan(order: order, windows: Self.network.windows)
    Self.network.prepare(parameters: Self.parameters, workspace: workspace, pool: Self.pool)
    func weighted(_ levels: [UInt8]) -> Double {
      workspace.prepareInput(levels: levels, images: 1)
      Self.network.forward(parameters: Self.parameters, plan: plan, workspace: workspace, pool: Self.pool)
      var generator = KeyedGenerator(seed: seed, purpose: .receptiveField, step: 0, slot: pixel)
      var sum = 0.0
      for output in 0..<workspace.logits.columns {
        sum += Double(workspace.logits[pixel, output]) * (generator.integer(below: 2) == 0 ? -1 : 1)
      }
      return sum
    }
    let largest = try #require(field.sensitivity.max())
    for other in 0..<Self.size.pixels {
      var (up, down) = (levels, levels)
      up[other] += 1
      down[other] -= 1
      // A level is 2/255 of the input's range.
      let derivative = (weighted(up) - weighted(down)) / (4.0 / 255)
      #expect(abs(abs(derivative) - field.sensitivity[other]) < 0.02 * largest, "pixel \(other): \(derivative)")
    }
  }

  @Test func distanceIsWeightedByTheSquaredSensitivity() throws {
    let order = try GenerationOrder(base: .rasterScan, size: Self.size)
    let first = ReceptiveField.measure(
      pixel: 0, order: order, levels: Self.levels(2, images: 1), network: Self.network, parameters: Self.parameters,
      seed: 1, pool: Self.pool)
    #expect(first.pixels == 0 && first.meanDistance == 0)
    let second = ReceptiveField.measure(
      pixel: 1, order: order, levels: Self.levels(2, images: 1), network: Self.network, parameters: Self.parameters,
      seed: 1, pool: Self.pool)
    #expect(second.pixels == 1 && second.meanDistance == 1)
  }
}
