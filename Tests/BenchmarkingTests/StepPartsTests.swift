import Benchmarking
import Collectives
import Model
import Orders
import Testing

@Suite struct StepPartsTests {
  private func benchmark(microbatches: Int) -> NetworkBenchmark {
    NetworkBenchmark(
      NetworkBenchmark.Options(
        model: ModelConfiguration(
          channels: 3, filters: 8, blocks: 1, distribution: .logisticMixture(mixtures: 2, bits: 8)),
        size: ImageSize(rows: 8, columns: 8), batch: 2, microbatches: microbatches, threads: 1),
      communicator: SingleProcessCommunicator())
  }

  @Test func theBackwardIsPartOfTheMicrobatch() throws {
    let parts = try benchmark(microbatches: 1).stepParts(.hilbert)
    #expect(parts.backward > 0 && parts.backward < parts.microbatch)
    #expect(parts.preparation > 0 && parts.update > 0 && parts.addition > 0)
  }

  @Test func partsComeBetweenWholeSteps() throws {
    let benchmark = benchmark(microbatches: 3)
    _ = try benchmark.trainingStep(.sCurve)
    _ = try benchmark.stepParts(.sCurve)
    #expect(try benchmark.computation(.sCurve) > 0)
    let exchange = try benchmark.exchange()
    #expect(exchange.reduction + exchange.gathering <= exchange.seconds)
    #expect(try benchmark.trainingStep(.sCurve).images == 6)
  }
}
