import Benchmarking
import Kernels
import Model
import Orders
import Testing

@Suite struct KernelBenchmarkTests {
  @Test func everyKernelHasOneSpeed() throws {
    let size = ImageSize(rows: 4, columns: 4)
    let kernels = KernelBenchmark(
      model: ModelConfiguration(
        channels: 3, filters: 8, distribution: .logisticMixture(mixtures: 2, bits: 8)), size: size, images: 1,
      order: try BenchmarkOrder.hilbert.order(size: size), pool: ThreadPool(threads: 1), repetitions: 1
    ).run()
    #expect(kernels.count == 31)
    for kernel in kernels {
      #expect(kernel.seconds > 0, "\(kernel.kernel)")
      #expect((kernel.gigaflops == nil) != (kernel.gigabytesPerSecond == nil), "\(kernel.kernel)")
    }
  }
}
