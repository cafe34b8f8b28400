import Foundation
import Kernels
import Model
import Orders
import Tensors
import TestSupport
import Testing

/// Training takes its memory at the start. Counts are the process's, so one test at a time counts.
@Suite(
  .serialized,
  .disabled(
    if: ProcessInfo.processInfo.environment["LMCONV_SANITIZER"] == "thread",
    "ThreadSanitizer does not tell of aligned allocations"))
struct NetworkMemoryTests {
  /// Allocates once in each tile.
  private struct AllocatingWork: TiledWork {
    let tiles: Int
    func run(tile: Int, thread: Int) { _ = FloatBuffer(count: 1000 + tile) }
  }

  @Test(arguments: [1, 2]) func allocationsAreSeenOnAllThreads(threads: Int) {
    let pool = ThreadPool(threads: threads)
    #expect(CountedAllocations.during(pool) {} == 0)
    #expect(CountedAllocations.during(pool) { pool.run(AllocatingWork(tiles: 50)) } >= 50)
    #expect(CountedAllocations.during(pool) {} == 0)
    #expect(
      CountedAllocations.during(pool) { _ = [UInt8](repeating: 1, count: 5000).withUnsafeBytes { $0.count } } == 1)
  }

  @Test(arguments: try ExampleNetwork.all(), [1, 2])
  func aSteadyTrainingStepAllocatesNothing(example: ExampleNetwork, threads: Int) {
    // A batch smaller than the workspace takes other paths.
    for images in [example.images, example.images + 1] {
      let run = example.run(threads: threads, images: images)
      let gradient = FloatBuffer(count: example.network.layout.count)
      var random = KeyedGenerator(testCase: 0)
      var last = 0
      func step() {
        run.load(example.parameters)
        run.workspace.drawDropout(&random)
        _ = run.loss(example.levels, plan: example.plan)
        run.backward(plan: example.plan, into: gradient) { last = $0 }
      }
      step()
      #expect(CountedAllocations.during(run.pool) { step() } == 0, "\(images) images")
      #expect(last == 0)
    }
  }

  /// Sizes one after the other, as training draws them.
  @Test(arguments: try ExampleNetwork.all()) func smallerImagesShareAWorkspaceWithTheSameBits(
    example: ExampleNetwork
  ) throws {
    let (network, parameters) = (example.network, example.parameters)
    let isTwoStream = network.configuration.architecture == .pixelCNNPlusPlus
    let sizes =
      isTwoStream
      ? [ImageSize(rows: 4, columns: 4), example.size]
      : [ImageSize(rows: 3, columns: 3), example.size, ImageSize(rows: 2, columns: 4)]
    for retention in [ActivationRetention.everything, .outputs] {
      let shared = NetworkRun(
        network, parameters: parameters, size: example.size, images: 3, threads: 2, retaining: retention)
      let gradient = FloatBuffer(count: network.layout.count)
      for (number, size) in (sizes + sizes).enumerated() {
        var random = KeyedGenerator(testCase: number)
        let images = 2 + number % 2
        let levels = random.levels(
          images * size.pixels * network.configuration.channels, below: network.configuration.distribution.levels)
        let order = isTwoStream ? try GenerationOrder(base: .rasterScan, size: size) : try random.order(of: size)
        let plan = OrderPlan(order: order, windows: network.windows)
        let own = NetworkRun(
          network, parameters: parameters, size: size, images: images, retaining: retention)
        let expected = FloatBuffer(count: network.layout.count)
        let loss = own.loss(levels, plan: plan)
        own.backward(plan: plan, into: expected)
        var found = 0.0
        let allocated = CountedAllocations.during(shared.pool) {
          found = shared.loss(levels, images: images, size: size, plan: plan)
          shared.backward(plan: plan, into: gradient)
        }
        #expect(found == loss && gradient.values == expected.values, "\(size), \(retention)")
        // The first pass of a size allocates no more than the later ones.
        if number > 0 { #expect(allocated == 0, "\(size), \(retention)") }
      }
    }
  }

  @Test(
    .disabled(
      if: ProcessInfo.processInfo.environment["LMCONV_SANITIZER"] == "address",
      "AddressSanitizer keeps for a while what is freed"))
  func memoryDoesNotGrowOverTwoHundredSteps() async {
    // In a process of its own, where nothing else allocates.
    await #expect(processExitsWith: .success) {
      let example = try ExampleNetwork(
        "growth",
        ModelConfiguration(
          channels: 1, filters: 12, blocks: 1, dropout: 0.1, distribution: .logisticMixture(mixtures: 2, bits: 4)),
        size: ImageSize(rows: 8, columns: 8), images: 4)
      let run = example.run(threads: 2)
      let gradient = FloatBuffer(count: example.network.layout.count)
      var random = KeyedGenerator(testCase: 0)
      func residentPages() throws -> Int {
        let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
        return Int(fields[1]) ?? 0
      }
      func train(steps: Int) throws {
        for _ in 0..<steps {
          // As in training, each step has an order of its own.
          let plan = OrderPlan(order: try random.order(of: example.size), windows: example.network.windows)
          run.workspace.drawDropout(&random)
          _ = run.loss(example.levels, plan: plan)
          run.backward(plan: plan, into: gradient)
        }
      }
      try train(steps: 20)
      let before = try residentPages()
      try train(steps: 200)
      let growth = try residentPages() - before
      // Pages of 4096 bytes: less than one activation a step, which is 12 KiB.
      #expect(before > 0 && growth < 200, "\(growth) pages")
    }
  }
}
