import ArgumentParser
import Benchmarking
import Collectives
import Configuration
import Foundation
import Model
import Orders
import Training

/// What `benchmark --plan` is asked.
struct PlanOptions: ParsableArguments {
  @Flag(help: "Say how long steps take on several hosts, from what one takes here.")
  var plan = false

  @Option(help: "With --plan: the largest number of hosts.")
  var hosts = 8

  @Option(help: "With --plan: ranks on each host; 0 takes those that measure.")
  var ranksPerHost = 0

  @Option(help: ArgumentHelp("With --plan: each host's link, each way.", valueName: "Gbit/s"))
  var bandwidth = 10.0

  @Option(help: ArgumentHelp("With --plan: of a short message.", valueName: "microseconds"))
  var latency = 50.0

  @Option(help: ArgumentHelp("With --plan: a run's configuration, for its network and batch.", valueName: "file"))
  var config: String?

  @Option(
    help: ArgumentHelp(
      "With --plan: the parts that --plan --json measured earlier, for the same network and batch.", valueName: "file"))
  var parts: String?

  func validate() throws {
    guard (1...4096).contains(hosts) else { throw ValidationError("--hosts must be 1 to 4096, it is \(hosts)") }
    guard (0...1024).contains(ranksPerHost) else {
      throw ValidationError("--ranks-per-host must be 0 to 1024, it is \(ranksPerHost)")
    }
    guard bandwidth > 0 && bandwidth.isFinite && latency >= 0 && latency.isFinite else {
      throw ValidationError("--bandwidth must be positive and --latency not negative")
    }
    guard plan || (config == nil && parts == nil) else { throw ValidationError("--config and --parts need --plan") }
  }
}

/// `lmconv benchmark --plan`: measures the parts of a step here, and calculates steps on several hosts from them.
struct ScalingPlan {
  /// What a step consists of.
  struct Shape {
    var model: ModelConfiguration
    var size: ImageSize
    var batch: Int
    var microbatches: Int
    var retention: ActivationRetention

    /// That of the run that the file at `path` describes, for images of its set's usual size.
    init(configuration path: String) throws {
      let configuration = try RunConfiguration(contentsOf: path)
      let isColoured = configuration.data.set == .cifar10
      let side = isColoured ? 32 : 28
      model = configuration.modelConfiguration(channels: isColoured ? 3 : 1)
      size = ImageSize(rows: side, columns: side)
      batch = configuration.training.microbatchSize
      microbatches = configuration.training.microbatches
      retention = configuration.model.retention
    }

    init(model: ModelConfiguration, size: ImageSize, batch: Int, microbatches: Int, retention: ActivationRetention) {
      self.model = model
      self.size = size
      self.batch = batch
      self.microbatches = microbatches
      self.retention = retention
    }
  }

  let options: PlanOptions
  let shape: Shape
  let order: BenchmarkOrder
  let threads: Int
  let repetitions: Int

  /// Efficiency that the batch in the last column keeps.
  static let target = 0.9

  private struct Row: Encodable {
    let step: ScalingModel.Step
    /// Microbatches of all ranks together; nil when none are enough.
    let microbatches: Int?

    enum CodingKeys: String, CodingKey { case microbatches = "microbatches_for_90_percent" }

    func encode(to encoder: any Encoder) throws {
      try step.encode(to: encoder)
      var container = encoder.container(keyedBy: CodingKeys.self)
      try container.encode(microbatches, forKey: .microbatches)
    }
  }

  private struct Report: Encodable {
    let parameters: Int
    let microbatches: Int
    let batch: Int
    let threads: Int
    let order: BenchmarkOrder
    let parts: StepParts
    let network: ScalingModel.Network
    let steps: [Row]
  }

  /// Measures on all ranks and prints on rank 0.
  ///
  /// - Throws: when the order does not exist for this size, or a rank is silent.
  func run(communicator: any Communicator, json: Bool) throws {
    let parts = try options.parts.map { try Self.parts(path: $0) } ?? measured(communicator)
    guard communicator.rank == 0 else { return }
    let layout = AutoregressiveNetwork(shape.model).layout
    let network = ScalingModel.Network(bitsPerSecond: options.bandwidth * 1e9, latency: options.latency * 1e-6)
    let model = ScalingModel(
      parts: parts, parameters: layout.count, microbatches: shape.microbatches, images: shape.batch, network: network)
    let ranks = options.ranksPerHost == 0 ? communicator.size : options.ranksPerHost
    let rows = Self.hosts(upTo: options.hosts).map { hosts in
      Row(
        step: model.step(hosts: hosts, ranksPerHost: ranks),
        microbatches: model.microbatchesPerRank(hosts: hosts, ranksPerHost: ranks, efficiency: Self.target)
          .map { $0 * hosts * ranks })
    }
    let report = Report(
      parameters: layout.parameterCount, microbatches: shape.microbatches, batch: shape.batch, threads: threads,
      order: order, parts: parts, network: network, steps: rows)
    if json { try JSONOutput.print(report) } else { show(report) }
  }

  private func measured(_ communicator: any Communicator) throws -> StepParts {
    let benchmark = NetworkBenchmark(
      NetworkBenchmark.Options(
        model: shape.model, size: shape.size, batch: shape.batch, microbatches: communicator.size, threads: threads,
        retention: shape.retention), communicator: communicator)
    _ = try benchmark.stepParts(order)
    return StepParts.median(try (0..<repetitions).map { _ in try benchmark.stepParts(order) })
  }

  /// The parts in the JSON that an earlier plan printed to the file at `path`.
  private static func parts(path: String) throws -> StepParts {
    struct Earlier: Decodable { let parts: StepParts }
    do { return try JSONDecoder().decode(Earlier.self, from: Data(contentsOf: URL(fileURLWithPath: path))).parts } catch
    {
      throw CommandError.notAPlan(path: path, reason: error.systemReason)
    }
  }

  /// All numbers up to 8, then powers of two, and the last.
  static func hosts(upTo last: Int) -> [Int] {
    let powers = sequence(first: 16) { $0 * 2 }.prefix { $0 < last }
    return Array(1...min(8, last)) + powers + (last > 8 ? [last] : [])
  }

  private func show(_ report: Report) {
    print(
      """
      \(report.parameters) parameters, steps of \(report.microbatches) x \(report.batch) images, order \
      \(report.order.rawValue)
      \(options.parts.map { "from \($0)" } ?? "measured here"): \(Quantity.seconds(report.parts.microbatch)) a microbatch on a rank of \
      \(Quantity.count(report.threads, "thread"))
      network: \(TrainingProgress.number(options.bandwidth, 1)) Gbit/s each way, \
      \(TrainingProgress.number(options.latency, 0)) us

      """)
    let heading = [
      "hosts", "ranks", "step", "images/s", "efficiency", "not hidden", "sent by a host", "bound by",
      "images for 90 %",
    ]
    let rows = report.steps.map { row in
      [
        "\(row.step.hosts)", "\(row.step.ranks)", Quantity.seconds(row.step.seconds),
        TrainingProgress.number(row.step.imagesPerSecond, 1),
        TrainingProgress.number(100 * row.step.efficiency, 1) + " %",
        Quantity.seconds(row.step.reduction + row.step.norm + row.step.gathering),
        Quantity.bytes(Int(row.step.bytesPerHost)), row.step.bound.rawValue,
        row.microbatches.map { "\($0 * report.batch)" } ?? "-",
      ]
    }
    print(TextTable.text([heading] + rows, rightAligned: [0, 1, 2, 3, 4, 5, 6, 8]))
  }
}
