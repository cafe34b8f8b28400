import ArgumentParser
import Reporting
import Training

/// `lmconv compare`
struct CompareCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "compare",
    abstract: "Compare runs: their results in a table, their curves over one another, their configurations.",
    discussion: """
      Examples:
        lmconv compare runs/*
        lmconv compare runs/narrow runs/wide --out comparison.html
        lmconv compare runs/narrow runs/wide --json

      Without --out the table is printed, with the keys of the configurations that differ. With it, one HTML file that \
      needs no other holds these and the curves.
      """)

  @Argument(help: ArgumentHelp("Folders of runs.", valueName: "run"))
  var runs: [String]

  @Option(name: .shortAndLong, help: ArgumentHelp("Write the comparison to this HTML file.", valueName: "file"))
  var out: String?

  @Flag(help: "Print the table as JSON.")
  var json = false

  func validate() throws {
    guard json == false || out == nil else {
      throw ValidationError("--json prints, --out writes HTML; pass one of them")
    }
  }

  func run() throws {
    let file = try out.map { try OutputFile($0) }
    let comparison = RunComparison(try runs.map { try ReportedRun($0) })
    for problem in comparison.runs.flatMap(\.problems) { Notice.show("warning: \(problem)") }
    if let file {
      try file.write(comparison.page.text)
      Notice.show("\(file.path): \(Quantity.count(runs.count, "run"))")
    } else if json {
      try JSONOutput.print(comparison.rows)
    } else {
      print(TextTable.text(comparison.table, rightAligned: RunComparison.numberColumns))
      let differences = comparison.differences
      guard !differences.isEmpty else { return }
      print("\n" + TextTable.text([["key"] + comparison.names] + differences.map { [$0.key] + $0.values }))
    }
  }
}
