import Foundation
import TestSupport
import Testing

extension EndToEnd {
  /// Training gives the same bits whoever does the work.
  @Suite struct SameBitsTests {
    private struct Team: CustomStringConvertible {
      let ranks: Int?
      let threads: Int
      var description: String { "\(ranks.map { "\($0) ranks" } ?? "alone") with \(threads) threads" }
    }

    private static let teams =
      [Team(ranks: nil, threads: 2), Team(ranks: 2, threads: 2)] + (1...4).map { Team(ranks: $0, threads: 1) }

    @Test(arguments: [
      Trial.binary(steps: 8, microbatches: 5),
      Trial.binary(steps: 8, microbatches: 8, ["orders.per=step", "training.loss_unit=bpd"]),
      Trial.binary(steps: 4, microbatches: 5, ["orders.train=random", "orders.test=[0, 'random:2', gilbert2d/3]"]),
      Trial.binary(steps: 8, microbatches: 5, ["data.resize=[7, 12, 9]", "data.resize_probabilities=[0.4, 0.4, 0.2]"]),
      // Fewer microbatches than ranks leave a rank without work.
      Trial.color(steps: 3, microbatches: 3, ordersPer: "microbatch"),
      Trial.color(steps: 3, microbatches: 5, ordersPer: "step"),
    ])
    func weightsAndLossesDoNotDependOnRanksAndThreads(trial: Trial) throws {
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments(run: "alone"))
      let alone = RunFiles(path: workplace.path + "/alone")
      let weights = try alone.weights(step: trial.steps)
      let results = try alone.results()
      let evaluations = try alone.evaluations()
      #expect(results.count == trial.steps)
      #expect(evaluations[trial.steps]?.images == 3)

      for team in Self.teams {
        let name = "\(team)"
        try workplace.run(ranks: team.ranks, trial.arguments(run: name, threads: team.threads))
        let run = RunFiles(path: workplace.path + "/" + name)
        let found = try run.weights(step: trial.steps)
        #expect(found.tensors == weights.tensors, "\(team)")
        // The header holds the configuration, in which only the threads differ.
        if team.threads == 1 { #expect(found == weights, "\(team)") }
        #expect(try run.results() == results, "\(team)")
        #expect(try run.evaluations() == evaluations, "\(team)")
        #expect(try run.metrics().first?.ranks == team.ranks ?? 1)
      }
    }

    @Test func weightsDependOnTheSeed() throws {
      // That the comparison above can fail.
      let trial = Trial.binary(steps: 2)
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments(run: "one"))
      try workplace.run(ranks: nil, trial.arguments(run: "two", ["seed=2"]))
      let weights = try ["one", "two"].map { try RunFiles(path: workplace.path + "/" + $0).weights(step: 2) }
      #expect(weights[0].tensors != weights[1].tensors)
    }
  }
}
