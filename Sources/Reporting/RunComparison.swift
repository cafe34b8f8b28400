import Configuration
import Foundation
import Training

/// Several runs beside one another: a table, their curves over one another, and where their configurations differ.
public struct RunComparison: Sendable {
  /// The runs.
  public let runs: [ReportedRun]
  /// What each is called: its folder's name, or its whole path where two folders have one name.
  public let names: [String]

  /// A comparison of `runs`, at least one.
  public init(_ runs: [ReportedRun]) {
    precondition(!runs.isEmpty, "RunComparison: no runs")
    self.runs = runs
    let isUnique = Set(runs.map(\.name)).count == runs.count
    names = runs.map { isUnique ? $0.name : $0.path }
  }

  /// A run in numbers.
  public struct Row: Encodable, Sendable {
    /// What the run is called.
    public let run: String
    /// Whether it is complete.
    public let state: String
    /// Steps done.
    public let steps: Int
    /// The last evaluation of the ensemble, in bits per dimension, and its standard error.
    public let testBitsPerDimension: Double?
    /// Its standard error.
    public let testBitsPerDimensionStandardError: Double?
    /// The least ensemble likelihood of all evaluations, in bits per dimension.
    public let bestBitsPerDimension: Double?
    /// Mean of the last training steps.
    public let trainingBitsPerDimension: Double?
    /// Median of the recorded ones.
    public let imagesPerSecond: Double?
    /// Training time over all attempts.
    public let elapsedSeconds: Double?
    /// Ranks of the last step.
    public let ranks: Int?
    /// Attempts after the first.
    public let restarts: Int
    /// Steps that were not fit for an update.
    public let faults: Int

    enum CodingKeys: String, CodingKey {
      case run, state, steps, ranks, restarts, faults
      case testBitsPerDimension = "test_bits_per_dimension"
      case testBitsPerDimensionStandardError = "test_bits_per_dimension_standard_error"
      case bestBitsPerDimension = "best_bits_per_dimension"
      case trainingBitsPerDimension = "training_bits_per_dimension"
      case imagesPerSecond = "images_per_second"
      case elapsedSeconds = "elapsed_seconds"
    }
  }

  /// A row for each run.
  public var rows: [Row] {
    zip(names, runs).map { name, run in
      let last = run.history.evaluations.last?.evaluation.ensemble
      return Row(
        run: name, state: run.state, steps: run.history.lastStep, testBitsPerDimension: last?.bitsPerDimension,
        testBitsPerDimensionStandardError: last?.bitsPerDimensionStandardError,
        bestBitsPerDimension: run.best?.evaluation.ensemble.bitsPerDimension,
        trainingBitsPerDimension: run.trainingBits, imagesPerSecond: run.imagesPerSecond,
        elapsedSeconds: run.history.steps.last?.elapsedSeconds, ranks: run.history.steps.last?.ranks,
        restarts: max(0, run.history.starts.count - 1), faults: run.history.faults.count)
    }
  }

  /// The rows as words, under their headings.
  public var table: [[String]] {
    let heading = [
      "run", "state", "steps", "test bpd", "best", "training bpd", "images/s", "time", "ranks", "restarts", "faults",
    ]
    func number(_ value: Double?, _ digits: Int) -> String { value.map { RunReport.number($0, digits) } ?? "-" }
    return [heading]
      + zip(rows, runs).map { row, run in
        [
          row.run, row.state, "\(row.steps)",
          run.history.evaluations.last.map { RunReport.bits($0.evaluation.ensemble) } ?? "-",
          number(row.bestBitsPerDimension, 4), number(row.trainingBitsPerDimension, 4),
          number(row.imagesPerSecond, 1), row.elapsedSeconds.map(RunReport.duration) ?? "-",
          row.ranks.map(String.init) ?? "-", "\(row.restarts)", "\(row.faults)",
        ]
      }
  }

  /// Which columns of the table hold numbers.
  public static let numberColumns = Set(2..<11)

  /// Keys whose values differ, each with its value in every run; a run without a readable configuration has none.
  public var differences: [(key: String, values: [String])] {
    ConfigurationKey.all.compactMap { key in
      let values = runs.map { $0.configuration.map { key.value(in: $0) } ?? "?" }
      return Set(values.filter { $0 != "?" }).count > 1 ? (key.path, values) : nil
    }
  }

  /// The page.
  public var page: HTML {
    func chart(_ title: String, isLogarithmic: Bool = false, _ value: @escaping (StepRecord) -> Double) -> LineChart {
      LineChart(
        title: title,
        lines: runs.indices.map { index in
          LineChart.Line(
            name: "", points: runs[index].history.steps.map { (step: $0.step, value: value($0)) }, color: color(index)
          )
          .smoothed(name: names[index])
        }, isLogarithmic: isLogarithmic)
    }
    let test = LineChart(
      title: "Test bits per dimension, ensemble",
      lines: runs.indices.map { index in
        LineChart.Line(
          name: names[index],
          points: runs[index].history.evaluations.map {
            (step: $0.step, value: $0.evaluation.ensemble.bitsPerDimension)
          },
          color: color(index), marksPoints: true)
      })
    let charts = [
      chart("Training bits per dimension", \.bitsPerDimension), test,
      chart("Gradient norm before clipping", isLogarithmic: true, \.gradientNorm),
      chart("Images per second", \.imagesPerSecond),
    ]
    let problems = runs.flatMap(\.problems).prefix(20).map { problem -> HTML in "<li>\(problem)</li>" }
    return Page.html(
      title: "comparison of \(names.joined(separator: ", "))",
      body: [
        "<h1>\(names.joined(separator: ", "))</h1>",
        Page.section("Results", Page.table(table[0], Array(table.dropFirst()), numbers: Self.numberColumns)),
        problems.isEmpty
          ? "" : Page.section("What could not be read", "<ul class=\"bad\">\(problems)</ul>"),
        Page.section(
          "Curves", "<div class=\"charts\">\(charts.map(\.html))</div>",
          "<p class=\"faint\">Training curves are running means over a fiftieth of each run.</p>"),
        Page.section(
          "Where the configurations differ",
          differences.isEmpty
            ? "<p class=\"faint\">Nowhere.</p>"
            : Page.table(["key"] + names, differences.map { [$0.key] + $0.values })),
      ])
  }

  private func color(_ index: Int) -> Int { index % Page.lineColors }
}
