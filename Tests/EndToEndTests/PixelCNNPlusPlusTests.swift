import Foundation
import Imaging
import TestSupport
import Testing

extension EndToEnd {
  /// The baseline under the same trainer as the paper's network.
  @Suite struct PixelCNNPlusPlusTests {
    static let settings = [
      "model.architecture=pixelcnn_pp", "model.dilation=1", "model.normalization=weight_norm", "model.dropout=0.5",
      "orders.train=[raster_scan]", "orders.test=[raster_scan]",
    ]

    @Test(arguments: [
      Trial.binary(steps: 6, microbatches: 5, settings),
      Trial.binary(steps: 6, microbatches: 5, settings + ["data.resize=[8, 12]"]),
      Trial.color(steps: 3, microbatches: 3, ordersPer: "microbatch", settings),
    ])
    func weightsAndPicturesDoNotDependOnRanksAndThreads(trial: Trial) throws {
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments(run: "alone"))
      let alone = RunFiles(path: workplace.path + "/alone")
      let weights = try alone.weights(step: trial.steps)
      #expect(try alone.results().count == trial.steps)
      #expect(try alone.evaluations()[trial.steps]?.images == 3)
      let pictures = try FileManager.default.contentsOfDirectory(atPath: alone.path + "/pictures").sorted()
      #expect(pictures.count == 3, "\(pictures)")
      for (ranks, threads) in [(nil, 2), (2, 1), (3, 1), (4, 1)] as [(Int?, Int)] {
        let name = "\(ranks ?? 1)-\(threads)"
        try workplace.run(ranks: ranks, trial.arguments(run: name, threads: threads))
        let run = RunFiles(path: workplace.path + "/" + name)
        #expect(try run.weights(step: trial.steps).tensors == weights.tensors, "\(name)")
        #expect(try run.results() == alone.results(), "\(name)")
        #expect(try run.evaluations() == alone.evaluations(), "\(name)")
        for picture in pictures {
          #expect(
            try workplace.contents("\(name)/pictures/\(picture)") == workplace.contents("alone/pictures/\(picture)"))
        }
      }
    }

    @Test func rematerializedTrainingHasTheSameBits() throws {
      let trial = Trial.binary(steps: 4, microbatches: 3, Self.settings)
      let workplace = try trial.workplace()
      try workplace.run(ranks: nil, trial.arguments(run: "stored"))
      try workplace.run(ranks: nil, trial.arguments(run: "again", ["model.rematerialize=true"]))
      let weights = try ["stored", "again"].map { try RunFiles(path: workplace.path + "/" + $0).weights(step: 4) }
      #expect(weights[0].tensors == weights[1].tensors)
    }

    @Test func aKilledRunGoesOnWithTheSameBitsOnOtherRanks() throws {
      let trial = Trial.binary(steps: 40, Self.settings + ["checkpoint.every_steps=4"])
      let expected = try FinishedRun(trial)
      let workplace = try trial.workplace()
      let run = RunFiles(path: workplace.path + "/run")
      let job = try workplace.start(ranks: 2, trial.arguments())
      try job.wait(for: "step 9") { try run.lastStep() >= 9 }
      #expect(job.end())
      #expect(try job.waitForEnd() == .killed(signal: SIGKILL))
      try workplace.run(ranks: 3, trial.arguments())
      #expect(try run.starts().count == 2)
      #expect(try run.weights(step: trial.steps) == expected.weights)
      #expect(try run.results() == expected.results)
      #expect(try run.evaluations() == expected.evaluations)
    }

    /// A small network on the digits that come with the program learns; then all that a model is used for.
    @Test func theDigitsAreLearnedAndGenerated() throws {
      let workplace = try Workplace()
      let more = [
        "model.filters=16", "model.dropout=0.1", "training.steps=60", "training.microbatches=2",
        "training.microbatch_size=4", "training.learning_rate=0.005", "evaluation.images=40", "monitoring.samples=2",
        "monitoring.completions=2", "run.log_every_steps=1",
      ]
      try workplace.run(
        ranks: 2, ["train", "--run-dir", "run"] + (Self.settings + more).flatMap { ["--set", $0] }, within: 240)
      let run = RunFiles(path: workplace.path + "/run")
      let results = try run.results()
      let first = try #require(results[1]?.nats)
      let last = (51...60).reduce(0) { $0 + (results[$1]?.nats ?? .infinity) } / 10
      // 784 ln 2 = 543 nats is knowing nothing.
      #expect(first > 400 && last < 250, "from \(first) to \(last) nats")

      try workplace.run(ranks: 2, ["sample", "run", "--count", "3", "--seed", "4", "--out", "two.npy"])
      try workplace.run(ranks: nil, ["sample", "run", "--count", "3", "--seed", "4", "--out", "one.npy"])
      #expect(try workplace.contents("one.npy") == workplace.contents("two.npy"))
      try workplace.run(
        ranks: nil, ["complete", "run", "--missing", "bottom", "--count", "2", "--out", "bottom.png"])
      let (json, _) = try workplace.run(
        ranks: nil, ["evaluate", "run", "--region", "bottom", "--images", "4", "--json"])
      #expect(json.contains("raster_scan"))
      try workplace.run(ranks: nil, ["heatmap", "run", "--count", "1", "--out", "heat.png"])
      let (field, _) = try workplace.run(ranks: nil, ["receptive-field", "run", "--count", "1", "--json"])
      #expect(field.contains("\"earlier\""))
      let (score, _) = try workplace.run(
        ranks: nil, ["score", "run", "--split", "test", "--count", "4", "--typical-images", "4", "--json"])
      #expect(!score.isEmpty)
      try workplace.run(ranks: nil, ["info", "run"])
      try workplace.run(ranks: nil, ["report", "run"])
      try refusals(workplace)
    }

    /// What takes networks under local masks, or another order, says so in one line.
    private func refusals(_ workplace: Workplace) throws {
      func expect(_ message: String, _ arguments: [String], status: Int32 = 64) throws {
        let (_, errors) = try workplace.run(ranks: nil, arguments, ending: .exited(status))
        #expect(errors == "lmconv: error: \(message)\n", "\(arguments)")
      }
      let alone = { (what: String) in
        "\(what) takes lmconv networks alone, and this one is a pixelcnn_pp; evaluate, score, heatmap, sample and complete "
          + "take both"
      }
      let otherOrder = { (name: String) in
        "order \(name) cannot be had: the network is a pixelcnn_pp, whose only order is raster_scan; an lmconv network "
          + "takes any"
      }
      let observedAfter =
        "the network is a pixelcnn_pp, which predicts pixels from those before them in the raster scan alone, and here "
        + "given pixels come after missing ones; ask for bottom, or take an lmconv network"
      try expect(alone("serve"), ["serve", "run", "--port", "0"])
      try expect(alone("compress"), ["compress", "run", "--split", "test", "--count", "2", "--out", "x.lmc"])
      try expect(otherOrder("s_curve/0"), ["evaluate", "run", "--orders", "s_curve", "--images", "2"])
      try expect(
        otherOrder("random/3"),
        ["score", "run", "--split", "test", "--count", "2", "--typical-bpd", "1", "--orders", "random/3"])
      try expect(otherOrder("gilbert2d/0"), ["heatmap", "run", "--orders", "gilbert2d", "--out", "x.png"])
      try expect(otherOrder("raster_scan/1"), ["receptive-field", "run", "--orders", "raster_scan/1"])
      try expect(otherOrder("raster_scan/4"), ["sample", "run", "--order", "raster_scan/4", "--out", "x.png"])
      try expect(observedAfter, ["complete", "run", "--missing", "top", "--out", "x.png"])
      try expect(observedAfter, ["evaluate", "run", "--region", "left", "--images", "2"])
    }

    @Test func sizesThatCannotBeHalvedTwiceAreRefused() throws {
      let trial = Trial.binary(steps: 2, Self.settings + ["data.resize=[8, 10]"])
      let (_, errors) = try trial.workplace().run(ranks: nil, trial.arguments(), ending: .exited(64))
      #expect(errors.contains("images are 10x10, but a pixelcnn_pp network halves their sides twice"), "\(errors)")
    }

    @Test func imagesThatCannotBeHalvedTwiceAreRefused() throws {
      let trial = Trial.binary(steps: 2, Self.settings)
      let workplace = try Workplace()
      try workplace.writeStrokes(test: 4, side: 10)
      let (_, errors) = try workplace.run(ranks: nil, trial.arguments(), ending: .exited(64))
      #expect(
        errors
          == "lmconv: error: images are 10x10, but a pixelcnn_pp network halves their sides twice; take images whose "
          + "sides are multiples of 4, or an lmconv network\n")
    }
  }
}
