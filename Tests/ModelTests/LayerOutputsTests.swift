import Model
import Testing

struct LayerOutputsTests {
  @Test func everyLayerIsNamedInTheOrderOfTheForwardPass() throws {
    let configuration = ModelConfiguration(
      channels: 1, filters: 4, blocks: 2, normalization: .pono, distribution: .binary)
    let example = try ExampleNetwork("two blocks", configuration)
    let run = example.run()
    _ = run.forward(example.levels, plan: example.plan)
    let outputs = example.network.outputs(in: run.workspace)
    #expect(
      outputs.map(\.layer) == [
        "u_init", "up_layers.0.u_stream.0", "up_layers.0.u_stream.1", "downsize_u_stream.0", "up_layers.1.u_stream.0",
        "up_layers.1.u_stream.1", "downsize_u_stream.1", "up_layers.2.u_stream.0", "up_layers.2.u_stream.1",
        "down_layers.0.u_stream.0", "down_layers.0.u_stream.1", "upsize_u_stream.0", "down_layers.1.u_stream.0",
        "down_layers.1.u_stream.1", "down_layers.1.u_stream.2", "upsize_u_stream.1", "down_layers.2.u_stream.0",
        "down_layers.2.u_stream.1", "down_layers.2.u_stream.2", "nin_out.lin_a",
      ])
    #expect(outputs.dropLast().allSatisfy { $0.values.columns == 4 && $0.values.rows == 40 })
    #expect(outputs.last?.values.values == run.workspace.logits.values)
  }
}
