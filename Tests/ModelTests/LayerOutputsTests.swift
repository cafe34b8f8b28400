import Model
import Testing

struct LayerOutputsTests {
  @Test(arguments: [ActivationRetention.nothing, .everything, .outputs])
  func everyLayerIsNamedInTheOrderOfTheForwardPass(retention: ActivationRetention) throws {
    let configuration = ModelConfiguration(
      channels: 1, filters: 4, blocks: 2, normalization: .pono, distribution: .binary)
    let example = try ExampleNetwork("two blocks", configuration)
    let run = example.run(retaining: retention)
    var layers: [String] = []
    var values: [[Float]] = []
    run.forward(example.levels, plan: example.plan) {
      layers.append($0.layer)
      values.append($0.values.values)
    }
    #expect(
      layers == [
        "u_init", "up_layers.0.u_stream.0", "up_layers.0.u_stream.1", "downsize_u_stream.0", "up_layers.1.u_stream.0",
        "up_layers.1.u_stream.1", "downsize_u_stream.1", "up_layers.2.u_stream.0", "up_layers.2.u_stream.1",
        "down_layers.0.u_stream.0", "down_layers.0.u_stream.1", "upsize_u_stream.0", "down_layers.1.u_stream.0",
        "down_layers.1.u_stream.1", "down_layers.1.u_stream.2", "upsize_u_stream.1", "down_layers.2.u_stream.0",
        "down_layers.2.u_stream.1", "down_layers.2.u_stream.2", "nin_out.lin_a",
      ])
    #expect(values.dropLast().allSatisfy { $0.count == 4 * 40 })
    #expect(values.last == run.workspace.logits.values)
    // Each as it was when it was computed, whether or not it is kept.
    var kept: [LayerOutput] = []
    let stored = example.run()
    stored.forward(example.levels, plan: example.plan) { kept.append($0) }
    #expect(kept.map(\.values.values) == values)
  }
}
