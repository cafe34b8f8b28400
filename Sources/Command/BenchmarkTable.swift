import Benchmarking
import Foundation

/// What the benchmark prints.
enum BenchmarkTable {
  static func printJSON(_ report: some Encodable) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
    Swift.print(String(decoding: try encoder.encode(report), as: UTF8.self))
  }

  static func print(_ report: BenchmarkReport) {
    let training = report.training.median
    let forward = report.forward.median
    let peakOfRank = report.matrixProductPeak / Double(report.ranks)
    Swift.print(
      "\(report.parameters) parameters, order \(report.order.rawValue), \(report.ranks) ranks of \(report.threads) "
        + "threads, microbatches of \(report.batch) images")
    Swift.print("sgemm's best: \(number(report.matrixProductPeak)) GFLOP/s")
    for (name, measurement) in [("training step", training), ("forward pass", forward)] {
      Swift.print(
        "\n\(name): \(number(measurement.seconds, 3)) s, \(number(measurement.imagesPerSecond, 2)) images/s, "
          + "\(percent(measurement.shareOutsideMasked)) outside the LMConv products")
      for (phase, seconds) in measurement.phases.sorted(by: { $0.value > $1.value }) {
        row(phase, seconds: seconds, of: measurement.seconds, "")
      }
      let directions = [
        ("LMConv forward", measurement.forward), ("LMConv input gradient", measurement.inputGradient),
        ("LMConv weight gradient", measurement.weightGradient),
      ]
      for case (let direction, let product?) in directions {
        row(
          direction, seconds: product.seconds, of: measurement.seconds,
          "\(number(product.rate)) useful GFLOP/s, \(percent(product.rate / peakOfRank)) of sgemm")
      }
      row(
        "LMConv in all", seconds: measurement.maskedSeconds, of: measurement.seconds,
        "\(number(measurement.maskedRate)) useful GFLOP/s, \(percent(measurement.maskedRate / peakOfRank)) of sgemm")
      row("1x1 products", seconds: measurement.otherProductSeconds, of: measurement.seconds, "")
      Swift.print("  peak memory \(number(measurement.peakMemoryBytes / 1e6, 0)) MB")
    }
  }

  static func print(_ kernels: [KernelMeasurement], peak: Double, threads: Int, order: BenchmarkOrder) {
    Swift.print("\(threads) threads, order \(order.rawValue), sgemm's best: \(number(peak)) GFLOP/s")
    for kernel in kernels {
      let rate =
        kernel.gigaflops.map { "\(left(number($0), 7)) GFLOP/s  \(percent($0 / peak)) of sgemm" }
        ?? kernel.gigabytesPerSecond.map { "\(left(number($0), 7)) GB/s" } ?? ""
      Swift.print(
        right(kernel.kernel, 34) + right(kernel.shape, 16) + left(number(kernel.seconds * 1e3, 3), 10) + " ms  " + rate)
    }
  }

  private static func row(_ name: String, seconds: Double, of total: Double, _ remark: String) {
    Swift.print(
      "  " + right(name, 24) + left(number(seconds * 1e3), 9) + " ms" + left(percent(seconds / total), 8) + "  "
        + remark)
  }

  private static func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }

  private static func percent(_ share: Double) -> String { number(100 * share) + " %" }

  private static func right(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(1, width - text.count))
  }

  private static func left(_ text: String, _ width: Int) -> String {
    String(repeating: " ", count: max(1, width - text.count)) + text
  }
}
