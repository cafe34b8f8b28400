import Benchmarking
import Collectives
import Foundation

/// Measures what lines of standard input ask for, each answered by a line of JSON on standard output.
struct BenchmarkService {
  private let benchmark: NetworkBenchmark
  private let communicator: any Communicator

  init(_ benchmark: NetworkBenchmark, communicator: any Communicator) {
    self.benchmark = benchmark
    self.communicator = communicator
  }

  /// Returns after `quit`, or when the input ends.
  func run() throws {
    try answer([
      "parameters": benchmark.network.layout.parameterCount, "workspace_bytes": benchmark.trainingWorkspaceBytes,
    ])
    while true {
      // Rank 0 has the input.
      let line = communicator.rank == 0 ? readLine() ?? "quit" : ""
      let command = String(decoding: try communicator.broadcast([UInt8](line.utf8), from: 0), as: UTF8.self)
      let words = command.split(separator: " ")
      if words.first == "predict" {
        try predict(words, command)
        continue
      }
      let order = words.count == 2 ? BenchmarkOrder(rawValue: String(words[1])) : nil
      switch (words.first, order) {
      case ("train", let order?): try answer(try benchmark.trainingStep(order))
      case ("forward", let order?): try answer(try benchmark.forwardPass(order))
      case ("sample", let order?): try answer(try benchmark.sampling(order))
      case ("plan", let order?): try answer(["seconds": try benchmark.planning(order)])
      case ("compute", let order?): try answer(["seconds": try benchmark.computation(order)])
      case ("exchange", nil) where words.count == 1: try answer(try benchmark.exchange())
      case ("gemm", nil) where words.count == 1: try answer(["gflops": try benchmark.matrixProductPeak()])
      case ("handover", nil) where words.count == 1:
        try answer(["nanoseconds": HandoverTime.measure(pool: benchmark.pool)])
      case ("quit", nil) where words.count == 1: return
      default: throw CommandError.unknownMeasurement(command)
      }
    }
  }

  /// `predict ORDER GIGABITS MICROSECONDS`: what the scaling model says of this job's steps, from the parts measured now.
  private func predict(_ words: [Substring], _ command: String) throws {
    guard words.count == 4, let order = BenchmarkOrder(rawValue: String(words[1])), let rate = Double(words[2]),
      let latency = Double(words[3]), rate > 0
    else { throw CommandError.unknownMeasurement(command) }
    let model = benchmark.scalingModel(
      try benchmark.stepParts(order),
      network: ScalingModel.Network(bitsPerSecond: rate * 1e9, latency: latency * 1e-6))
    let hosts = Set(communicator.hosts).count
    try answer(model.step(hosts: hosts, ranksPerHost: communicator.size / hosts))
  }

  private func answer(_ value: some Encodable) throws {
    guard communicator.rank == 0 else { return }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    FileHandle.standardOutput.write(try encoder.encode(value) + Data([0x0A]))
  }
}
