import Benchmarking
import Collectives
import Model
import Orders
import Testing

@Suite struct NetworkBenchmarkTests {
  private func benchmark(microbatches: Int = 1) -> NetworkBenchmark {
    NetworkBenchmark(
      NetworkBenchmark.Options(
        model: ModelConfiguration(
          channels: 3, filters: 8, blocks: 1, distribution: .logisticMixture(mixtures: 2, bits: 8)),
        size: ImageSize(rows: 8, columns: 8), batch: 2, microbatches: microbatches, threads: 2),
      communicator: SingleProcessCommunicator())
  }

  @Test(arguments: BenchmarkOrder.allCases) func aStepIsTheSumOfItsPhases(order: BenchmarkOrder) throws {
    let step = try benchmark(microbatches: 3).trainingStep(order)
    #expect(step.images == 6)
    #expect(
      Set(step.phases.keys) == ["prepare", "data", "forward", "loss", "backward", "reduce", "update", "gather"])
    let sum = step.phases.values.reduce(0, +)
    #expect(sum <= step.seconds && sum > 0.5 * step.seconds)
    let inside = (step.phases["forward"] ?? 0) + (step.phases["backward"] ?? 0)
    #expect(step.maskedSeconds + step.otherProductSeconds <= inside)
    #expect(step.shareOutsideMasked > 0 && step.shareOutsideMasked < 1)
    #expect(step.peakMemoryBytes > 1e6)
  }

  @Test func usefulOperationsAreCountedByHand() throws {
    let step = try benchmark().trainingStep(.random)
    // Pairs of neighbours: 8 x 7 in each of two directions, 7 x 7 on each diagonal; at distance 2 8 x 6 and 6 x 6. Each is
    // seen once, and, but in the first layer, each pixel sees itself.
    let first = 2 * 56 + 2 * 49
    let undilated = first + 64
    let dilated = 2 * 48 + 2 * 36 + 64
    let blocks = 8
    let hidden = undilated * blocks * (16 * 8 + 16 * 16) + dilated * 4 * 8 * 8
    let images = 2
    func billions(_ multiplications: Int) -> Double { 2e-9 * Double(images * multiplications) }
    let forward = try #require(step.forward)
    let inputGradient = try #require(step.inputGradient)
    let weightGradient = try #require(step.weightGradient)
    #expect(abs(forward.billionOperations - billions(hidden + first * 4 * 8)) < 1e-9)
    #expect(abs(weightGradient.billionOperations - billions(hidden + first * 4 * 8)) < 1e-9)
    #expect(abs(inputGradient.billionOperations - billions(hidden)) < 1e-9)
    #expect(forward.rate == forward.billionOperations / forward.seconds)
  }

  @Test func aForwardPassHasNoGradients() throws {
    let pass = try benchmark().forwardPass(.sCurve)
    #expect(pass.images == 2 && pass.forward != nil && pass.inputGradient == nil && pass.weightGradient == nil)
    #expect(Set(pass.phases.keys) == ["data", "forward", "loss"])
  }

  @Test func samplingAndPlanningTakeTime() throws {
    let sampled = try benchmark().sampling(.hilbert)
    #expect(sampled.images == 2 && sampled.seconds > 0)
    #expect(try benchmark().planning(.random) > 0)
  }

  @Test func theReportsMedianIsTheMiddleOne() throws {
    let benchmark = benchmark()
    let measurements = try (0..<3).map { _ in try benchmark.forwardPass(.hilbert) }
    let repetitions = BenchmarkReport.Repetitions(measurements)
    #expect(repetitions.seconds == measurements.map(\.seconds))
    #expect(repetitions.median.seconds == measurements.map(\.seconds).sorted()[1])
  }
}
