import Configuration
import Testing
import Training

struct TrainingMemoryTests {
  private func memory(_ overrides: [String] = [], rank: Int = 0, ranks: Int = 1) throws -> TrainingMemory {
    let configuration = try RunConfiguration(contentsOf: nil, overrides: ["model.filters=4"] + overrides)
    return try TrainingMemory(Experiment(configuration), rank: rank, ranks: ranks)
  }

  @Test func ranksShareTheOptimizerAndTheAverage() throws {
    let alone = try memory()
    let shares = try (0..<3).map { try memory(rank: $0, ranks: 3) }
    #expect(shares.reduce(0) { $0 + $1.optimizer } == alone.optimizer)
    #expect(shares.reduce(0) { $0 + $1.average } == alone.average)
    #expect(alone.optimizer == 2 * alone.parameters)
    #expect(shares.allSatisfy { $0.parameters == alone.parameters && $0.activations == alone.activations })
    // Only rank 0 copies checkpoints.
    #expect(shares[1].checkpoint < shares[0].checkpoint)
    // The moments and the average of the others may arrive before rank 0 asks for them.
    #expect(
      shares[0].checkpoint - alone.checkpoint
        == shares[1].optimizer + shares[1].average + shares[2].optimizer + shares[2].average)
  }

  @Test func aRunWithoutAverageNeedsLess() throws {
    let with = try memory()
    let without = try memory(["training.ema_decay=0", "evaluation.use_ema=false"])
    #expect(without.average == 0)
    #expect(with.evaluation - without.evaluation == with.parameters)
    #expect(with.total > without.total)
  }

  @Test func activationsGrowWithTheMicrobatch() throws {
    let two = try memory(["training.microbatch_size=2"])
    let six = try memory(["training.microbatch_size=6"])
    let four = try memory(["training.microbatch_size=4"])
    #expect(six.activations - four.activations == four.activations - two.activations)
    #expect(six.evaluation == two.evaluation)
  }

  @Test func theLargestSizeNeedsTheActivationsAndEachItsOrders() throws {
    let whole = try memory()
    let small = try memory(["data.resize=[14]"])
    let both = try memory(["data.resize=[14, 28]"])
    #expect(both.activations == whole.activations && both.evaluation == whole.evaluation)
    // A quarter of the pixels; some weights are not of pixels.
    #expect(small.activations < whole.activations / 3 && small.activations > whole.activations / 5)
    #expect(both.orders == small.orders + whole.orders && 4 * small.orders == whole.orders)
    // Eight orders of 784 pixels, each with three masks of nine taps and their transposes.
    #expect(whole.orders > 8 * 784 * 6 * 9 * 4 && whole.orders < 8 * 784 * 6 * 11 * 4)
  }
}
