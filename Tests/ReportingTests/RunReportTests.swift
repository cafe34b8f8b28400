import Foundation
import Imaging
import Orders
import Reporting
import Testing
import Training

struct RunReportTests {
  private typealias Example = RunFolderExample

  private static let picture = PNGImage(size: ImageSize(rows: 2, columns: 3), color: [10, 20, 30])

  private func whole(_ name: String = "run") throws -> Example {
    let run = try Example(name)
    try run.write(
      Example.start(0) + (1...4).map { Example.step($0, bits: 1 / Double($0)) }.joined()
        + Example.evaluation(4, bits: 0.25) + Example.start(4, event: "resume")
        + Example.fault(5, reason: "the norm of the gradient is nan") + Example.step(6, bits: 0.2),
      to: "metrics.jsonl")
    try run.write("name: example\ntraining:\n  steps: 6\n", to: "config.yaml")
    try run.write(
      "2026-01-02T03:04:05Z info fine\n2026-01-02T03:04:06Z warning step 5: <b>not</b> fit\n  more of it\n"
        + "2026-01-02T03:04:07Z info going on\n", to: "log.txt")
    for name in ["orders", "step-00000004-samples", "step-00000004-completions"] {
      try run.write(Self.picture, to: "pictures/\(name).png")
    }
    return run
  }

  @Test func aPageHasEveryPart() throws {
    let example = try whole()
    let run = try example.opened()
    #expect(run.problems.isEmpty && run.state == "complete")
    let page = RunReport.page(run).text
    for part in [
      "<title>run: report</title>", "0.2500 ± 0.0100", "25.00 ± 1.00", "<polyline", "s_curve/0", "Samples",
      "Completions", "Test orders", "the norm of the gradient is nan", "2026-01-02T03:04:05Z", "resume",
      "steps: 6", "prefers-color-scheme: dark", "width=device-width",
    ] { #expect(page.contains(part), "\(part)") }
    let data = Data(try Self.picture.encoded()).base64EncodedString()
    #expect(page.components(separatedBy: data).count == 4)
    #expect(page.contains("warning step 5: &lt;b&gt;not&lt;/b&gt; fit\n  more of it</pre>"))
  }

  @Test func aPageNeedsNoOtherFile() throws {
    let page = RunReport.page(try whole().opened()).text
    for part in ["<script", "<link", "@import", "url(", "http:", "https:"] {
      #expect(!page.contains(part), "\(part)")
    }
    // Pictures are within the page.
    let sources = page.components(separatedBy: " src=\"").dropFirst()
    #expect(sources.count == 3 && sources.allSatisfy { $0.hasPrefix("data:image/png;base64,") })
  }

  @Test func textOfFilesAndFoldersIsEscaped() throws {
    let example = try Example("<i>run & \"co\"")
    try example.write(
      Example.start(0) + Example.step(1, bits: 2) + Example.evaluation(1, bits: 1, order: "<script>x</script>"),
      to: "metrics.jsonl")
    try example.write("name: <u>no</u>\n", to: "config.yaml")
    let page = RunReport.page(try example.opened()).text
    #expect(!page.contains("<i>run") && !page.contains("<script") && !page.contains("<u>no"))
    #expect(page.contains("<title>&lt;i&gt;run &amp; &quot;co&quot;: report</title>"))
    #expect(page.contains("&lt;script&gt;x&lt;/script&gt;"))
  }

  @Test func whatIsDamagedIsNamedAndTheRestShown() throws {
    let example = try whole()
    let metrics = try String(contentsOfFile: example.path + "/metrics.jsonl", encoding: .utf8)
    try example.write(metrics + "{\"step\":7,\"na\n{\"step\":8}\n[1]\n", to: "metrics.jsonl")
    try example.write("no picture", to: "pictures/step-00000004-samples.png")
    try example.write("name: [", to: "config.yaml")
    try example.write("{}", to: "failure.json")
    let run = try example.opened()
    #expect(run.history.lastStep == 6)
    let path = example.path
    #expect(
      run.problems.prefix(3) == [
        "\(path)/metrics.jsonl:10: not JSON, perhaps cut off by a full disk or a crash; the line is left out",
        "\(path)/metrics.jsonl:11: 'epoch' is missing; the line is left out",
        "\(path)/metrics.jsonl:12: not a JSON object; the line is left out",
      ])
    #expect(run.problems.count == 6 && run.problems.contains("\(path)/failure.json is no record of a failure"))
    let page = RunReport.page(run).text
    #expect(page.contains("What could not be read") && page.contains("Completions") && !page.contains("<h2>Samples"))
  }

  @Test func aRunThatHasJustBegunHasAPage() throws {
    let example = try Example()
    try example.write(Example.start(0), to: "metrics.jsonl")
    try example.write("name: new\n", to: "config.yaml")
    let run = try example.opened()
    #expect(run.state == "at step 0 of 1000")
    #expect(RunReport.page(run).text.contains("nothing recorded"))
  }

  @Test func aFolderWithoutMetricsIsRefused() throws {
    let example = try Example()
    let error = #expect(throws: RunFolderError.self) { try example.opened() }
    #expect(error?.description == "\(example.path)/metrics.jsonl cannot be read: No such file or directory")
  }

  // MARK: Several runs

  @Test func runsAreComparedInNumbersAndByConfiguration() throws {
    let (wide, narrow) = (try whole("wide"), try Example("narrow"))
    try narrow.write(Example.start(0) + Example.step(3, bits: 0.5), to: "metrics.jsonl")
    try narrow.write("name: example\ntraining:\n  steps: 6\nmodel:\n  filters: 8\n", to: "config.yaml")
    let comparison = RunComparison([try wide.opened(), try narrow.opened()])
    #expect(comparison.names == ["wide", "narrow"])
    #expect(
      comparison.table[1] == [
        "wide", "complete", "6", "0.2500 ± 0.0100", "0.2500", "0.2000", "40.0", "0:06", "2", "1", "1",
      ])
    #expect(
      comparison.table[2] == [
        "narrow", "at step 3 of 6", "3", "-", "-", "0.5000", "40.0", "0:03", "2", "0", "0",
      ])
    #expect(comparison.differences.map(\.key) == ["model.filters"])
    #expect(comparison.differences.first?.values == ["32", "8"])
    let page = comparison.page.text
    #expect(page.contains("model.filters") && page.components(separatedBy: "<polyline").count > 6)
  }

  @Test func runsOfOneNameAreCalledByTheirPaths() throws {
    let (first, second) = (try whole(), try whole())
    let comparison = RunComparison([try first.opened(), try second.opened()])
    #expect(comparison.names == [first.path, second.path])
    #expect(comparison.differences.isEmpty && comparison.page.text.contains("Nowhere."))
  }
}
