import Foundation
import Testing

/// `metrics`, `report` and `compare`.
struct ReportCommandLineTests {
  private func run(_ arguments: [String], in folder: TemporaryFolder) throws -> Invocation {
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.exitCode == 0, "\(run.errors)")
    return run
  }

  private func appendToMetrics(_ text: String, _ folder: TemporaryFolder) throws {
    let path = folder.path + "/run/metrics.jsonl"
    try folder.write(try String(contentsOfFile: path, encoding: .utf8) + text, to: "run/metrics.jsonl")
  }

  @Test func metricsAreATable() throws {
    let folder = try SmallRun.trained()
    let lines = try run(["metrics", "run"], in: folder).output.split(separator: "\n").map { $0.split(separator: ",") }
    #expect(
      lines[0] == [
        "step", "epoch", "nats", "bits_per_dimension", "learning_rate", "gradient_norm", "images_per_second",
        "elapsed_seconds", "ranks", "skipped_steps",
      ])
    // Every tenth step is recorded, and the last.
    #expect(lines.dropFirst().map { $0[0] } == ["4"] && lines.allSatisfy { $0.count == 10 })
    let line = try String(contentsOfFile: folder.path + "/run/metrics.jsonl", encoding: .utf8).split(separator: "\n")
      .first { $0.contains("\"nats\":\(lines[1][2]),") }
    #expect(line != nil)

    let written = try run(["metrics", "run", "--evaluations", "--out", "new/e.csv"], in: folder)
    #expect(written.output.isEmpty && written.errors == "new/e.csv: 4 lines\n")
    let evaluations = try String(contentsOfFile: folder.path + "/new/e.csv", encoding: .utf8).split(separator: "\n")
    #expect(evaluations[0].hasPrefix("step,order,images,nats,"))
    #expect(
      evaluations.dropFirst().map { $0.split(separator: ",")[1] } == [
        "s_curve/0", "s_curve/3", "mean of 2 orders", "ensemble of 2 orders",
      ])
  }

  @Test func aDamagedLineIsNamedAndLeftOut() throws {
    let folder = try SmallRun.trained()
    try appendToMetrics("{\"step\":5,\"nats\":1\n", folder)
    let found = try run(["metrics", "run"], in: folder)
    let message = "run/metrics.jsonl:4: not JSON, perhaps cut off by a full disk or a crash; the line is left out"
    #expect(found.errors == "warning: \(message)\n")
    #expect(found.output.split(separator: "\n").count == 2)
    let report = try run(["report", "run"], in: folder)
    #expect(report.errors == "warning: \(message)\nrun/report.html: run, complete\n")
    #expect(try String(contentsOfFile: folder.path + "/run/report.html", encoding: .utf8).contains("metrics.jsonl:4"))
  }

  @Test func aReportHoldsThePicturesOfTheRun() throws {
    let folder = try SmallRun.trained()
    let report = try run(["report", "run", "--out", "page.html"], in: folder)
    #expect(report.errors == "page.html: run, complete\n" && report.output.isEmpty)
    let page = try String(contentsOfFile: folder.path + "/page.html", encoding: .utf8)
    for name in ["orders", "step-00000004-samples", "step-00000004-completions"] {
      let picture = try Data(contentsOf: URL(fileURLWithPath: "\(folder.path)/run/pictures/\(name).png"))
      #expect(page.contains(picture.base64EncodedString()), "\(name)")
    }
    #expect(page.contains("filters: 4") && page.contains("ensemble of 2 orders"))
  }

  @Test func runsAreComparedInATableAndOnAPage() throws {
    let folder = try SmallRun.trained()
    try folder.write(SmallRun.configuration.replacing("filters: 4", with: "filters: 5"), to: "wider.yaml")
    _ = try run(["train", "--config", "wider.yaml", "--run-dir", "wider"], in: folder)
    let table = try run(["compare", "run", "wider"], in: folder).output
    #expect(table.hasPrefix("run    state     steps  "))
    #expect(table.contains(#/run +complete +4 +\d\.\d{4} ± \d\.\d{4}/#))
    #expect(table.hasSuffix("key            run  wider\nmodel.filters  4    5\n"))
    let page = try run(["compare", "run", "wider", "--out", "c.html"], in: folder)
    #expect(page.errors == "c.html: 2 runs\n" && page.output.isEmpty)
    #expect(try String(contentsOfFile: folder.path + "/c.html", encoding: .utf8).contains("model.filters"))
    let json = try run(["compare", "run", "wider", "--json"], in: folder).output
    let rows = try #require(try JSONSerialization.jsonObject(with: Data(json.utf8)) as? [[String: Any]])
    #expect(rows.map { $0["run"] as? String } == ["run", "wider"])
    #expect(rows.allSatisfy { $0["steps"] as? Int == 4 && $0["test_bits_per_dimension"] is Double })
  }

  @Test(arguments: [
    (["report", "none"], "lmconv: error: none/metrics.jsonl cannot be read: No such file or directory\n", 1),
    (["metrics", "data"], "lmconv: error: data/metrics.jsonl cannot be read: No such file or directory\n", 1),
    (["compare", "run", "none"], "lmconv: error: none/metrics.jsonl cannot be read: No such file or directory\n", 1),
    (["report", "run", "--out", "data"], "lmconv: error: data cannot be written: it is a folder\n", 1),
    (["compare", "run", "--json", "--out", "x"], "Error: --json prints, --out writes HTML; pass one of them\n", 64),
    (["compare"], "Error: Missing expected argument '<run> ...'\n", 64),
  ])
  func whatCannotBeReportedIsRefused(arguments: [String], message: String, exitCode: Int32) throws {
    let folder = try SmallRun.trained()
    let run = try Invocation.lmconv(arguments, in: folder.path)
    #expect(run.errors.hasPrefix(message), "\(run.errors)")
    #expect(run.exitCode == exitCode && run.output.isEmpty)
  }
}
