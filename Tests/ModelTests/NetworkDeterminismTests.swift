import Kernels
import Model
import Tensors
import TestSupport
import Testing
import Tracing

/// Results depend on the parameters, the images and the order, and on nothing else.
struct NetworkDeterminismTests {
  @Test(arguments: try ExampleNetwork.all())
  func logitsAreTheSameBitsOnAnyNumberOfThreads(example: ExampleNetwork) {
    let expected = bits(example.run().forward(example.levels, plan: example.plan).values)
    for threads in 2...4 {
      #expect(bits(example.run(threads: threads).forward(example.levels, plan: example.plan).values) == expected)
    }
  }

  @Test(arguments: try ExampleNetwork.all())
  func logitsOfAnImageAreTheSameBitsInAnyBatch(example: ExampleNetwork) {
    // Dropped channels belong to places in a batch.
    guard example.network.configuration.dropout == 0 else { return }
    let expected = bits(example.run().forward(example.levels, plan: example.plan).values)
    let logitsPerImage = expected.count / example.images
    let levelsPerImage = example.levels.count / example.images
    // Alone in a workspace of its own, and alone in a workspace with room for five.
    for capacity in [1, 5] {
      let run = example.run(images: capacity)
      for image in 0..<example.images {
        let levels = Array(example.levels[(image * levelsPerImage)..<((image + 1) * levelsPerImage)])
        let alone = bits(run.forward(levels, plan: example.plan).values)
        #expect(alone == Array(expected[(image * logitsPerImage)..<((image + 1) * logitsPerImage)]))
      }
    }
  }

  @Test(arguments: try ExampleNetwork.all())
  func evaluationWorkspacesGiveTheSameBitsAsTrainingOnes(example: ExampleNetwork) {
    guard example.network.configuration.dropout == 0 else { return }
    let expected = bits(example.run().forward(example.levels, plan: example.plan).values)
    let pool = ThreadPool(threads: 1)
    let workspace = NetworkWorkspace(
      network: example.network, size: example.size, images: example.images, retaining: .nothing)
    example.network.prepare(parameters: example.parameters, workspace: workspace, pool: pool)
    workspace.prepareInput(levels: example.levels, images: example.images)
    example.network.forward(parameters: example.parameters, plan: example.plan, workspace: workspace, pool: pool)
    #expect(bits(workspace.logits.values) == expected)
  }

  @Test(arguments: try ExampleNetwork.all())
  func gradientsAreTheSameBitsOnAnyNumberOfThreadsAndAgain(example: ExampleNetwork) {
    let expected = FloatBuffer(count: example.network.layout.count)
    let gradient = FloatBuffer(count: example.network.layout.count)
    let run = example.run()
    let nats = run.loss(example.levels, plan: example.plan)
    run.backward(plan: example.plan, into: expected)
    for threads in 1...4 {
      // In a workspace with room for more, and a second time over what the first pass left.
      let other = example.run(threads: threads, images: example.network.configuration.dropout == 0 ? 3 : nil)
      for _ in 0..<2 {
        gradient.fill(0)
        #expect(other.loss(example.levels, plan: example.plan) == nats)
        other.backward(plan: example.plan, into: gradient)
        #expect(bits(gradient.values) == bits(expected.values))
      }
    }
  }

  /// What is kept and where depends on the number of blocks.
  @Test(
    arguments: try ExampleNetwork.all()
      + (2...6).flatMap { blocks in
        try [Normalization.pono, .weightNorm].map { normalization in
          try ExampleNetwork(
            "\(blocks) blocks, \(normalization)",
            ModelConfiguration(
              channels: 1, filters: 4, blocks: blocks, normalization: normalization, dropout: 0.2,
              distribution: .logisticMixture(mixtures: 2, bits: 4)), number: blocks)
        }
      })
  func rematerializedGradientsAreTheSameBits(example: ExampleNetwork) {
    let expected = FloatBuffer(count: example.network.layout.count)
    let gradient = FloatBuffer(count: example.network.layout.count)
    let stored = example.run()
    let rematerialized = example.run(threads: 2, retaining: .outputs)
    // A second time over what the first pass left.
    for _ in 0..<2 {
      let nats = stored.loss(example.levels, plan: example.plan)
      stored.backward(plan: example.plan, into: expected)
      gradient.fill(0)
      #expect(rematerialized.loss(example.levels, plan: example.plan) == nats)
      rematerialized.backward(plan: example.plan, into: gradient)
      #expect(bits(gradient.values) == bits(expected.values))
    }
  }

  @Test(arguments: [1, 2, 5]) func nothingButA1x1LayerIsRecomputedMoreThanOnce(blocks: Int) throws {
    let example = try ExampleNetwork(
      "\(blocks) blocks", ModelConfiguration(channels: 1, filters: 4, blocks: blocks, distribution: .binary))
    let run = example.run(retaining: .outputs)
    let trace = Trace(capacity: 10_000, labels: example.network.layout.entries.map(\.name))
    _ = run.loss(example.levels, plan: example.plan)
    example.network.backward(
      parameters: example.parameters, plan: example.plan, workspace: run.workspace,
      gradient: FloatBuffer(count: example.network.layout.count), pool: run.pool, trace: trace, completed: { _ in })
    let counts = trace.events.filter { $0.phase == .convolution }.reduce(into: [String: Int]()) {
      $0[trace.labels[Int($1.label)], default: 0] += 1
    }
    let convolutions = counts.filter { !$0.key.contains(".nin_skip.") }
    #expect(convolutions.values.allSatisfy { $0 == 1 }, "\(convolutions)")
    // The blocks that ended the forward pass are still there.
    #expect(!convolutions.keys.contains { $0.contains("down_layers.2.u_stream.\(blocks).") })
    #expect(counts.values.allSatisfy { $0 <= 2 }, "\(counts)")
  }

  @Test(arguments: try ExampleNetwork.all())
  func gradientsAreFinalFromEachOffsetThatIsReported(example: ExampleNetwork) {
    let run = example.run()
    let gradient = FloatBuffer(count: example.network.layout.count)
    // What is never written would show.
    gradient.fill(.nan)
    _ = run.loss(example.levels, plan: example.plan)
    var reports: [(offset: Int, values: [UInt32])] = []
    run.backward(plan: example.plan, into: gradient) { offset in
      reports.append((offset, bits(gradient.values(in: offset..<gradient.count))))
    }
    #expect(reports.count > 1)
    #expect(zip(reports, reports.dropFirst()).allSatisfy { $0.offset > $1.offset })
    #expect(reports.last?.offset == 0)
    let final = bits(gradient.values)
    for report in reports { #expect(report.values == Array(final[report.offset...]), "from \(report.offset) on") }
    for entry in example.network.layout.entries {
      #expect(gradient.values(in: entry.range).allSatisfy { $0.isFinite }, "\(entry.name)")
    }
  }

  private func bits(_ values: [Float]) -> [UInt32] { values.map(\.bitPattern) }
}
