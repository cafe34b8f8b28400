import ArgumentParser
import Foundation
import Training

/// `lmconv metrics`
struct MetricsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "metrics",
    abstract: "Print a run's metrics as CSV, for spreadsheets and data frames.",
    discussion: """
      Examples:
        lmconv metrics runs/digits > steps.csv
        lmconv metrics runs/digits --evaluations --out evaluations.csv
        python3 -c 'import pandas; print(pandas.read_csv("steps.csv").describe())'

      A line for each recorded step, or with --evaluations for each order, the orders' mean and the ensemble of each \
      evaluation. Of a step that was taken again after a restart the last record counts, as in metrics.jsonl, which also \
      holds starts and faults.
      """)

  @Argument(help: ArgumentHelp("A run's folder.", valueName: "run"))
  var path: String

  @Flag(help: "The evaluations in place of the steps.")
  var evaluations = false

  @Option(name: .shortAndLong, help: ArgumentHelp("Write to this file.", valueName: "file"))
  var out: String?

  func run() throws {
    let file = try out.map { try OutputFile($0) }
    let folder = RunFolder(path)
    let history = try MetricsHistory(contentsOf: folder.metrics)
    for damage in history.damage {
      Notice.show("warning: \(folder.metrics):\(damage.line): \(damage.reason); the line is left out")
    }
    let rows = evaluations ? Self.rows(history.evaluations) : Self.rows(history.steps)
    let text = CSV.text(rows)
    if let file {
      try file.write(text)
      Notice.show("\(file.path): \(Quantity.count(rows.count - 1, "line"))")
    } else {
      print(text, terminator: "")
    }
  }

  private static func rows(_ steps: [StepRecord]) -> [[String]] {
    let heading = [
      "step", "epoch", "nats", "bits_per_dimension", "learning_rate", "gradient_norm", "images_per_second",
      "elapsed_seconds", "ranks", "skipped_steps",
    ]
    return [heading]
      + steps.map { record in
        [
          "\(record.step)", "\(record.epoch)", "\(record.nats)", "\(record.bitsPerDimension)",
          "\(record.learningRate)", "\(record.gradientNorm)", "\(record.imagesPerSecond)", "\(record.elapsedSeconds)",
          "\(record.ranks)", "\(record.skippedSteps)",
        ]
      }
  }

  private static func rows(_ evaluations: [EvaluationRecord]) -> [[String]] {
    let heading = [
      "step", "order", "images", "nats", "nats_standard_error", "bits_per_dimension",
      "bits_per_dimension_standard_error",
    ]
    return [heading]
      + evaluations.flatMap { record in
        (record.evaluation.orders + [record.evaluation.meanOfOrders, record.evaluation.ensemble]).map { entry in
          [
            "\(record.step)", entry.order, "\(record.evaluation.images)", "\(entry.nats)",
            "\(entry.natsStandardError)", "\(entry.bitsPerDimension)", "\(entry.bitsPerDimensionStandardError)",
          ]
        }
      }
  }
}

/// Tables as comma-separated values (RFC 4180, but for the line ends, which are this system's).
enum CSV {
  /// The rows; a cell with a comma, a quote or a line break is quoted.
  static func text(_ rows: [[String]]) -> String {
    rows.map { row in
      row.map { cell in
        cell.contains { $0 == "," || $0 == "\"" || $0.isNewline }
          ? "\"" + cell.replacing("\"", with: "\"\"") + "\"" : cell
      }.joined(separator: ",") + "\n"
    }.joined()
  }
}
