import Configuration
import Orders
import Testing
import Training

struct OrderSelectionTests {
  private let size = ImageSize(rows: 4, columns: 4)

  private func selection(_ change: (inout RunConfiguration) -> Void = { _ in }) throws -> OrderSelection {
    var configuration = RunConfiguration()
    change(&configuration)
    return try OrderSelection(configuration, size: size)
  }

  @Test func eachMicrobatchDrawsFromAllVariants() throws {
    let orders = try selection()
    for step in [0, 7, 123_456] {
      #expect(Set((0..<200).map { orders.trainingIndex(step: step, slot: $0) }) == Set(0..<8), "step \(step)")
    }
  }

  @Test func allMicrobatchesOfAStepMayShareAnOrder() throws {
    let orders = try selection { $0.orders.per = .step }
    for step in 0..<50 {
      #expect(Set((0..<20).map { orders.trainingIndex(step: step, slot: $0) }).count == 1, "step \(step)")
    }
    #expect(Set((0..<200).map { orders.trainingIndex(step: $0, slot: 0) }) == Set(0..<8))
  }

  @Test func drawsAreAFunctionOfSeedStepAndSlot() throws {
    let orders = try selection { $0.seed = 5 }
    let draws = (0..<100).map { orders.trainingIndex(step: $0 / 10, slot: $0 % 10) }
    // In another sequence and by another value the draws are the same.
    let again = try selection { $0.seed = 5 }
    #expect((0..<100).reversed().map { again.trainingIndex(step: $0 / 10, slot: $0 % 10) } == draws.reversed())
    let other = try selection { $0.seed = 6 }
    #expect((0..<100).map { other.trainingIndex(step: $0 / 10, slot: $0 % 10) } != draws)
    #expect((0..<10).map { draws[$0] } != (10..<20).map { draws[$0] })
  }

  @Test func drawsOfASeedNeverChange() throws {
    // A run goes on with the orders of its configuration whatever version of the program goes on with it.
    let orders = try selection { $0.seed = 1 }
    #expect((0..<8).map { orders.trainingIndex(step: 0, slot: $0) } == [7, 0, 3, 0, 7, 3, 6, 2])
  }

  @Test func variantsAreThoseOfTheConfigurationInItsOrder() throws {
    let orders = try selection {
      $0.orders.train = .list([.variant(.transposeReflectRows), .variant(.reflectColumns)])
      $0.orders.test = [.variant(.transposeReflectBoth)]
    }
    #expect(orders.train.map(\.name) == ["s_curve/5", "s_curve/2"])
    #expect(orders.test.map(\.name) == ["s_curve/7"])
    #expect(
      orders.train[1].order
        == (try GenerationOrder(base: .sCurve, size: size, flags: .identity, variant: .reflectColumns)))
    #expect(Set((0..<50).map { orders.trainingIndex(step: 0, slot: $0) }) == [0, 1])
  }

  @Test func flagsChangeTheBaseOfAllVariants() throws {
    let plain = try selection { $0.orders.test = [.variant(.identity), .variant(.transpose)] }
    let transposed = try selection {
      $0.orders.transpose = true
      $0.orders.test = [.variant(.transpose), .variant(.identity)]
    }
    #expect(transposed.test.map(\.order) == plain.test.map(\.order))
  }

  @Test func anOrderComesFromAFile() throws {
    let folder = try TemporaryFolder()
    let pixels = (0..<16).map { ($0 * 5 + 3) % 16 }
    let file = try folder.write(pixels.map { "\($0 / 4) \($0 % 4)" }.joined(separator: "\n"), to: "order.txt")
    let orders = try selection {
      $0.orders.file = file
      $0.orders.test = [.variant(.identity), .variant(.reflectRows)]
    }
    #expect(orders.test.map(\.name) == ["\(file)/0", "\(file)/1"])
    let read = try OrderFile.read(path: file, size: size)
    #expect(orders.test.map(\.order) == [read, read.transformed(by: .reflectRows)])
  }

  @Test func aRectanglesOrderFromAFileIsNotTransposed() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write("0 0\n0 1\n0 2\n1 0\n1 1\n1 2\n", to: "order.txt")
    var options = RunConfiguration().orders
    options.file = file
    let rectangle = ImageSize(rows: 2, columns: 3)
    #expect(try OrderSelection.orders([.variant(.reflectBoth)], options, size: rectangle)[0].order.size == rectangle)
    let error = #expect(throws: OrderSelectionError.self) {
      try OrderSelection.orders([.variant(.transpose)], options, size: rectangle)
    }
    #expect(
      error?.description
        == "variant 4 transposes the order of \(file), which then does not fit 2x3 images; use variants "
        + "0 to 3, or square images")
  }

  @Test func ordersOfOtherBasesRandomOnesAndFilesMayBeMixed() throws {
    let folder = try TemporaryFolder()
    let file = try folder.write((0..<16).map { "\($0 / 4) \($0 % 4)" }.joined(separator: "\n"), to: "order.txt")
    let orders = try selection {
      $0.orders.test = [
        .variant(.reflectRows), .base(.hilbert, .transpose), .randoms(count: 2, seed: 3), .random(index: 1, seed: 0),
        .file(file),
      ]
    }
    #expect(
      orders.test.map(\.name) == ["s_curve/1", "hilbert/4", "random/0@3", "random/1@3", "random/1", file])
    #expect(Set(orders.test.map(\.order)).count == 6)
    #expect(orders.test[3].order == .random(index: 1, seed: 3, size: size))
    #expect(orders.test[5].order.pixels == (0..<16).map { Int32($0) })
  }

  @Test func freshOrdersAreNewForEachMicrobatchOrStep() throws {
    let orders = try selection { $0.orders.train = .fresh }
    #expect(orders.train.isEmpty)
    #expect(orders.trainingIndex(step: 3, slot: 1) == nil)
    let drawn = (0..<100).map { orders.trainingOrder(step: $0 / 10, slot: $0 % 10).order }
    #expect(Set(drawn).count == 100)
    #expect(orders.trainingOrder(step: 4, slot: 7).order == drawn[47])
    #expect(orders.trainingOrder(step: 4, slot: 7).name == "random of step 4, microbatch 7")
    let named = (0..<100).map { GenerationOrder.random(index: $0, seed: 1, size: size) }
    #expect(Set(drawn).isDisjoint(with: named))

    let shared = try selection {
      $0.orders.train = .fresh
      $0.orders.per = .step
    }
    #expect(Set((0..<10).map { shared.trainingOrder(step: 2, slot: $0).order }).count == 1)
    #expect(Set((0..<10).map { shared.trainingOrder(step: $0, slot: 0).order }).count == 10)
  }

  @Test func randomOrdersNeverChange() {
    // Results name them by index and seed only.
    let size = ImageSize(rows: 2, columns: 4)
    #expect(GenerationOrder.random(index: 0, seed: 0, size: size).pixels == [4, 6, 7, 5, 0, 1, 3, 2])
    #expect(GenerationOrder.random(index: 1, seed: 5, size: size).pixels == [1, 3, 0, 4, 5, 7, 2, 6])
  }

  @Test func randomOrdersAreUniform() {
    // 6 permutations of 3 pixels, 6,000 draws: chi-square with 5 degrees of freedom is above 20.5 once in 1,000.
    let size = ImageSize(rows: 1, columns: 3)
    var counts: [[Int32]: Int] = [:]
    for index in 0..<6_000 { counts[GenerationOrder.random(index: index, seed: 1, size: size).pixels, default: 0] += 1 }
    let chiSquare = counts.values.reduce(0.0) { $0 + (Double($1) - 1_000) * (Double($1) - 1_000) / 1_000 }
    #expect(counts.count == 6)
    #expect(chiSquare < 20.5)
  }
}
