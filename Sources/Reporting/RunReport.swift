import Foundation
import Training

/// One run as a page: curves, likelihoods, pictures, speed, faults and restarts, configuration.
public enum RunReport {
  /// The page of `run`.
  public static func page(_ run: ReportedRun) -> HTML {
    Page.html(
      title: "\(run.name): report",
      body: [
        "<h1>\(run.name)</h1>", "<p class=\"faint\">\(run.path), \(run.state)</p>", failure(run), tiles(run),
        problems(run), curves(run), orders(run), pictures("Samples", run.samples),
        pictures("Completions", run.completions, note: "rows: what is given, the completion, the true image"),
        orderPicture(run), attempts(run), configuration(run),
      ])
  }

  private static func failure(_ run: ReportedRun) -> HTML {
    guard let failure = run.failure else { return "" }
    return "<p class=\"bad\">Failed at \(failure.time), rank \(failure.rank) on \(failure.host): \(failure.message)</p>"
  }

  private static func problems(_ run: ReportedRun) -> HTML {
    guard !run.problems.isEmpty else { return "" }
    // A file that is damaged all over has too many to read.
    let shown = run.problems.prefix(20)
    var items = shown.map { problem -> HTML in "<li>\(problem)</li>" }
    if run.problems.count > shown.count { items.append("<li>and \(run.problems.count - shown.count) more</li>") }
    return Page.section("What could not be read", "<ul class=\"bad\">\(items)</ul>")
  }

  // MARK: Numbers

  private static func tiles(_ run: ReportedRun) -> HTML {
    var tiles: [HTML] = []
    func add(_ value: String?, _ meaning: String) {
      if let value { tiles.append("<div><b>\(value)</b><span class=\"faint\">\(meaning)</span></div>") }
    }
    let last = run.history.evaluations.last
    add(last.map { bits($0.evaluation.ensemble) }, "bits per dimension, test, \(last?.evaluation.ensemble.order ?? "")")
    add(last.map { nats($0.evaluation.ensemble) }, "nats per image, test")
    if let best = run.best, best.step != last?.step {
      add(bits(best.evaluation.ensemble), "best evaluation, step \(best.step)")
    }
    add(run.trainingBits.map { number($0, 4) }, "bits per dimension, training, last steps")
    add("\(run.history.lastStep)" + (run.totalSteps.map { " of \($0)" } ?? ""), "steps")
    add(run.history.steps.last.map { duration($0.elapsedSeconds) }, "training time")
    add(run.imagesPerSecond.map { number($0, 1) }, "images per second, median")
    add(run.history.steps.last.map { "\($0.ranks)" }, "ranks")
    add("\(max(0, run.history.starts.count - 1))", "restarts")
    add("\(run.history.faults.count)", "steps not fit for an update")
    return "<div class=\"tiles\">\(tiles)</div>"
  }

  private static func curves(_ run: ReportedRun) -> HTML {
    let steps = run.history.steps
    func line(_ name: String, color: Int, _ value: (StepRecord) -> Double) -> LineChart.Line {
      LineChart.Line(name: name, points: steps.map { (step: $0.step, value: value($0)) }, color: color)
    }
    func both(_ name: String, color: Int, _ value: (StepRecord) -> Double) -> [LineChart.Line] {
      var raw = line(name, color: color, value)
      raw.isRaw = true
      return [raw, raw.smoothed(name: name)]
    }
    let test = LineChart.Line(
      name: "test, ensemble",
      points: run.history.evaluations.map { (step: $0.step, value: $0.evaluation.ensemble.bitsPerDimension) }, color: 1,
      marksPoints: true)
    let charts = [
      LineChart(title: "Bits per dimension", lines: both("training", color: 0, \.bitsPerDimension) + [test]),
      LineChart(
        title: "Gradient norm before clipping", lines: both("norm", color: 4, \.gradientNorm), isLogarithmic: true),
      LineChart(title: "Learning rate", lines: [line("learning rate", color: 2, \.learningRate)]),
      LineChart(title: "Images per second", lines: both("all ranks", color: 5, \.imagesPerSecond)),
    ]
    return Page.section(
      "Training", "<div class=\"charts\">\(charts.map(\.html))</div>",
      "<p class=\"faint\">Strong lines are running means over a fiftieth of the run, faint ones what was recorded.</p>")
  }

  private static func orders(_ run: ReportedRun) -> HTML {
    guard let last = run.history.evaluations.last else { return "" }
    let names = last.evaluation.orders.map(\.order)
    // More lines than colours cannot be told apart: the table has them all.
    let lines = names.prefix(Page.lineColors).enumerated().map { index, name in
      LineChart.Line(
        name: name,
        points: run.history.evaluations.compactMap { record in
          record.evaluation.orders.first { $0.order == name }.map { (step: record.step, value: $0.bitsPerDimension) }
        }, color: index, marksPoints: true)
    }
    let entries = last.evaluation.orders + [last.evaluation.meanOfOrders, last.evaluation.ensemble]
    let table = Page.table(
      ["order", "bits per dimension", "nats"], entries.map { [$0.order, bits($0), nats($0)] }, numbers: [1, 2])
    let images = "\(last.evaluation.images) of \(last.evaluation.imagesInSet) test images, after step \(last.step)"
    return Page.section(
      "Likelihood by order",
      """
      <div class="charts">\(LineChart(title: "Bits per dimension of each order", lines: lines).html)<div>\(table)
      <p class="faint">\(images); ± is the standard error over images.</p></div></div>
      """)
  }

  // MARK: Pictures

  private static func pictures(_ title: String, _ pictures: [ReportedRun.Picture], note: String = "") -> HTML {
    guard !pictures.isEmpty else { return "" }
    let figures = pictures.reversed().map { picture -> HTML in
      Page.picture(png: picture.png, caption: "step \(picture.step)\(note.isEmpty ? "" : "; " + note)")
    }
    return Page.section(title, "<div class=\"charts\">\(figures)</div>")
  }

  private static func orderPicture(_ run: ReportedRun) -> HTML {
    guard let orders = run.orders else { return "" }
    return Page.section(
      "Test orders", Page.picture(png: orders, caption: "from blue (first, white disk) to yellow (last, black disk)"))
  }

  // MARK: Faults and restarts

  private static func attempts(_ run: ReportedRun) -> HTML {
    let starts = Page.table(
      ["began", "", "after step", "ranks", "threads of each"],
      run.history.starts.map { start in
        [start.time ?? "", start.event, "\(start.step)", "\(start.ranks)", "\(start.threads)"]
      }, numbers: [2, 3, 4])
    let faults: HTML =
      run.history.faults.isEmpty
      ? "<p class=\"faint\">Every step was fit for an update.</p>"
      : Page.table(
        ["step", "what was wrong", "response"],
        run.history.faults.map { ["\($0.step)", $0.fault.reason, $0.response] }, numbers: [0])
    let warnings: HTML =
      run.warnings.isEmpty
      ? "" : "<h3>Warnings in the log</h3><pre>\(run.warnings.joined(separator: "\n"))</pre>"
    return Page.section("Starts, faults and restarts", starts, faults, warnings)
  }

  private static func configuration(_ run: ReportedRun) -> HTML {
    guard let text = run.configurationText else { return "" }
    return Page.section("Configuration", "<details><summary>config.yaml</summary><pre>\(text)</pre></details>")
  }

  // MARK: In words

  static func bits(_ entry: LikelihoodSummary.Entry) -> String {
    "\(number(entry.bitsPerDimension, 4)) ± \(number(entry.bitsPerDimensionStandardError, 4))"
  }

  static func nats(_ entry: LikelihoodSummary.Entry) -> String {
    "\(number(entry.nats, 2)) ± \(number(entry.natsStandardError, 2))"
  }

  static func number(_ value: Double, _ digits: Int) -> String { TrainingProgress.number(value, digits) }

  static func duration(_ seconds: Double) -> String { TrainingProgress.duration(seconds) }
}
