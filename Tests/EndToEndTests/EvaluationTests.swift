import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// `lmconv evaluate` counts every image once and prints the same bytes whoever evaluates.
  @Suite struct EvaluationTests {
    private static let testImages = 25
    private static let trial: Trial = {
      var trial = Trial.binary(steps: 10)
      trial.testImages = testImages
      return trial
    }()

    /// A folder with a trained model in `run`.
    private static func trained() throws -> Workplace {
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments())
      return workplace
    }

    private struct Report: Decodable {
      struct Entry: Decodable {
        let order: String
        let nats: Double
      }
      let images: Int
      let images_in_set: Int
      let orders: [Entry]
      let ensemble: Entry
    }

    @Test func reportsAreTheSameBytesOnAnyRanksThreadsAndBatches() throws {
      let workplace = try Self.trained()
      let teams: [(ranks: Int?, threads: Int, batch: Int)] = [(1, 2, 25), (2, 1, 4), (3, 1, 1), (3, 2, 100)]
      for what in [[], ["--region", "bottom"], ["--region", "3,3,4,5", "--orders", "0,3,random:2@7"]] {
        let command = ["evaluate", "run", "--json"] + what
        let alone = try workplace.run(
          ranks: nil, command + ["--threads", "1", "--batch-size", "7", "--per-image", "alone.csv"])
        #expect(alone.output.contains("\"images\" : 25"), "\(alone.output)")
        for (number, team) in teams.enumerated() {
          let file = "\(number).csv"
          let found = try workplace.run(
            ranks: team.ranks,
            command + ["--threads", "\(team.threads)", "--batch-size", "\(team.batch)", "--per-image", file])
          #expect(found.output == alone.output, "\(what), \(team)")
          #expect(try workplace.contents(file) == workplace.contents("alone.csv"), "\(what), \(team)")
        }
      }
    }

    @Test func everyImageCountsOnce() throws {
      let workplace = try Self.trained()
      let printed = try workplace.run(ranks: 3, ["evaluate", "run", "--per-image", "images.csv"])
      #expect(printed.output.contains("\n25 of 25 images\n"), "\(printed.output)")
      #expect(printed.output.contains("moving average"), "\(printed.output)")

      let json = try workplace.run(ranks: 2, ["evaluate", "run", "--json"]).output
      let report = try JSONDecoder().decode(Report.self, from: Data(json.utf8))
      #expect(report.images == 25 && report.images_in_set == 25)
      let table = String(decoding: try workplace.contents("images.csv"), as: UTF8.self).split(separator: "\n")
        .map { $0.split(separator: ",") }
      #expect(table[0] == ["image", "ensemble"] + report.orders.map { Substring($0.order) })
      #expect(table.dropFirst().map { $0[0] } == (0..<25).map { "\($0)" })
      for (column, expected) in ([report.ensemble] + report.orders).enumerated() {
        let values = try table.dropFirst().map { try #require(Double($0[column + 1])) }
        #expect(abs(values.reduce(0, +) / 25 - expected.nats) < 1e-9 * expected.nats, "\(expected.order)")
      }
    }

    @Test func moreRanksThanImagesEvaluateTheSame() throws {
      let workplace = try Self.trained()
      let command = ["evaluate", "run", "--images", "2", "--first", "5", "--threads", "1"]
      let alone = try workplace.run(ranks: nil, command)
      #expect(alone.output.contains("\n2 of 25 images\n"), "\(alone.output)")
      #expect(try workplace.run(ranks: 4, command).output == alone.output)
    }

    @Test func aRegionCountsItsPixelsGivenAllOthers() throws {
      let workplace = try Self.trained()
      func nats(_ what: [String]) throws -> Double {
        let command = ["evaluate", "run", "--json", "--orders", "0", "--threads", "1"] + what
        let json = try workplace.run(ranks: nil, command).output
        return try JSONDecoder().decode(Report.self, from: Data(json.utf8)).ensemble.nats
      }
      let whole = try nats([])
      let bottom = try nats(["--region", "bottom"])
      #expect(bottom > 0 && bottom < whole)
      // The region of all pixels is given nothing.
      #expect(try nats(["--region", "0,0,12,12"]) == whole)
    }
  }
}
