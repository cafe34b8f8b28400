import ArgumentParser
import Benchmarking
import Collectives
import Foundation
import Kernels
import Model
import Orders
import Training

extension BenchmarkOrder: ExpressibleByArgument {}
extension Architecture: ExpressibleByArgument {}

/// `lmconv benchmark`
struct BenchmarkCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmark",
    abstract: "Measure training steps, forward passes and kernels on this machine.",
    discussion: """
      Examples:
        lmconv benchmark                                   # the paper's CIFAR-10 network
        lmconv benchmark --filters 32 --blocks 1 --order random --json
        lmconv benchmark --architecture pixelcnn_pp        # the baseline, PixelCNN++
        lmconv benchmark --kernels --threads 1
        mpirun -n 2 lmconv benchmark --threads 1           # with the reduction of gradients
        lmconv benchmark --plan --hosts 16 --bandwidth 10  # what a cluster of such machines would do

      Images are random; times do not depend on them. Useful GFLOP/s count multiplications by unmasked values only, and \
      are compared with what OpenBLAS's sgemm reaches on as many threads in the same run. With --serve, commands come \
      from standard input: `train ORDER`, `forward ORDER`, `gemm` and `handover` each answer with one line of JSON, \
      `quit` ends; so a script can measure several programs in turn.
      """)

  @Option(help: ArgumentHelp("Network.", valueName: "lmconv|pixelcnn_pp"))
  var architecture = Architecture.lmconv

  @Option(help: "Channels of the hidden activations.")
  var filters = 160

  @Option(help: "Gated blocks of a group.")
  var blocks = 5

  @Option(help: "Side of the square images.")
  var side = 32

  @Option(help: "Images of a microbatch.")
  var batch = 4

  @Option(help: "Microbatches of a step, over all ranks; 0 gives each rank one.")
  var microbatches = 0

  @Option(help: "Threads of each rank; 0 divides the host's cores among its ranks.")
  var threads = 0

  @Option(
    help: ArgumentHelp(
      "Generation order (default: s_curve; of pixelcnn_pp raster_scan, its only one).",
      valueName: BenchmarkOrder.allCases.map(\.rawValue).joined(separator: "|")))
  var order: BenchmarkOrder?

  @Option(help: "Measurements of each kind after one that warms up; the median counts, for kernels the fastest.")
  var repetitions = 5

  @Flag(help: "Compute blocks' inner activations anew in the backward (model.rematerialize).")
  var rematerialize = false

  @Flag(help: "Measure each kernel alone.")
  var kernels = false

  @Flag(help: "Measure what standard input asks for.")
  var serve = false

  @OptionGroup var planning: PlanOptions

  @Flag(help: "Print the result as JSON.")
  var json = false

  func validate() throws {
    for (name, value) in [
      ("filters", filters), ("blocks", blocks), ("side", side), ("batch", batch), ("repetitions", repetitions),
    ] where value < 1 {
      throw ValidationError("--\(name) must be positive, it is \(value)")
    }
    guard microbatches >= 0 && threads >= 0 else {
      throw ValidationError("--microbatches and --threads must not be negative")
    }
    guard !(kernels && architecture != .lmconv) else {
      throw ValidationError("--kernels measures those of lmconv; leave out --architecture")
    }
    guard !(kernels && serve) else { throw ValidationError("--kernels and --serve exclude each other") }
    guard !(planning.plan && (kernels || serve)) else {
      throw ValidationError("--plan excludes --kernels and --serve")
    }
  }

  func run() throws {
    // Served ranks wait for as long as a script measures something else.
    Job.run(timeoutSeconds: serve ? 3600 : 60) { communicator in
      let threads = HostThreads.count(requested: threads, communicator: communicator)
      let model = ModelConfiguration(
        architecture: architecture, channels: 3, filters: filters, blocks: blocks,
        distribution: .logisticMixture(mixtures: 10, bits: 8))
      let size = ImageSize(rows: side, columns: side)
      if kernels {
        guard communicator.rank == 0 else { return }
        try showKernels(model: model, size: size, pool: ThreadPool(threads: threads))
        return
      }
      if planning.plan {
        // The paper's batch of 32, unless told otherwise.
        let shape =
          try planning.config.map { try ScalingPlan.Shape(configuration: $0) }
          ?? ScalingPlan.Shape(
            model: model, size: size, batch: batch, microbatches: microbatches == 0 ? 8 : microbatches,
            retention: rematerialize ? .outputs : .everything)
        try ScalingPlan(
          options: planning, shape: shape, order: order(of: shape.model), threads: threads, repetitions: repetitions
        )
        .run(communicator: communicator, json: json)
        return
      }
      let benchmark = NetworkBenchmark(
        NetworkBenchmark.Options(
          model: model, size: size, batch: batch, microbatches: microbatches == 0 ? communicator.size : microbatches,
          threads: threads, retention: rematerialize ? .outputs : .everything), communicator: communicator)
      if serve {
        try BenchmarkService(benchmark, communicator: communicator).run()
      } else {
        try measure(benchmark, order: order(of: model), communicator: communicator)
      }
    }
  }

  /// The order that was asked for, or the usual one of the network `model`.
  private func order(of model: ModelConfiguration) -> BenchmarkOrder {
    order ?? (model.architecture == .lmconv ? .sCurve : .rasterScan)
  }

  private func measure(_ benchmark: NetworkBenchmark, order: BenchmarkOrder, communicator: any Communicator) throws {
    _ = try benchmark.trainingStep(order)
    let training = try (0..<repetitions).map { _ in try benchmark.trainingStep(order) }
    let peak = try benchmark.matrixProductPeak()
    _ = try benchmark.forwardPass(order)
    let forward = try (0..<repetitions).map { _ in try benchmark.forwardPass(order) }
    guard communicator.rank == 0 else { return }
    let report = BenchmarkReport(
      parameters: benchmark.network.layout.parameterCount, order: order, ranks: communicator.size,
      threads: benchmark.pool.threads, batch: batch, matrixProductPeak: peak,
      training: BenchmarkReport.Repetitions(training), forward: BenchmarkReport.Repetitions(forward))
    if json { try BenchmarkTable.printJSON(report) } else { BenchmarkTable.print(report) }
  }

  private func showKernels(model: ModelConfiguration, size: ImageSize, pool: ThreadPool) throws {
    let order = order(of: model)
    let measurements = KernelBenchmark(
      model: model, size: size, images: batch, order: try order.order(size: size), pool: pool,
      repetitions: repetitions
    ).run()
    let peak = GEMMPeak.measure(pool: pool)
    if json {
      try BenchmarkTable.printJSON(
        KernelReport(order: order, threads: pool.threads, matrixProductPeak: peak, kernels: measurements))
    } else {
      BenchmarkTable.print(measurements, peak: peak, threads: pool.threads, order: order)
    }
  }
}

/// The kernels' speed, as JSON.
private struct KernelReport: Encodable {
  let order: BenchmarkOrder
  let threads: Int
  let matrixProductPeak: Double
  let kernels: [KernelMeasurement]

  enum CodingKeys: String, CodingKey {
    case order, threads, kernels
    case matrixProductPeak = "gemm_gflops"
  }
}
