import ArgumentParser
import Reporting
import Training

/// `lmconv report`
struct ReportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write a run's report: one HTML file that needs no other.",
    discussion: """
      Examples:
        lmconv report runs/digits                     # writes runs/digits/report.html
        lmconv report runs/digits --out digits.html

      Curves of the loss, the gradient, the learning rate and the speed; the likelihood of each order; samples and \
      completions; starts, faults and restarts; the configuration. The page has no script, fits a phone and follows the \
      reader's light or dark setting. A run that goes on meanwhile is reported as far as it is.
      """)

  @Argument(help: ArgumentHelp("A run's folder.", valueName: "run"))
  var folder: String

  @Option(name: .shortAndLong, help: ArgumentHelp("HTML file (default: RUN/report.html).", valueName: "file"))
  var out: String?

  func run() throws {
    let run = try ReportedRun(folder)
    for problem in run.problems { Notice.show("warning: \(problem)") }
    let file = try OutputFile(out ?? folder + "/report.html")
    try file.write(RunReport.page(run).text)
    Notice.show("\(file.path): \(run.name), \(run.state)")
  }
}
