import Model
import Tensors
import TestSupport
import Testing

/// The whole network against the same network in plain loops and double precision: its outputs, and its gradients
/// against slopes of the plain one, for every normalization with every option.
struct NetworkGradientTests {
  @Test(arguments: try ExampleNetwork.all())
  func logitsAreThoseOfThePlainNetwork(example: ExampleNetwork) {
    let logits = example.run().forward(example.levels, plan: example.plan)
    let plain = PlainNetwork(example, dropout: ExampleNetwork.dropoutGenerator)
    let error = Golden.relativeError(logits.values, plain.logits(example.levels))
    #expect(error < Golden.modelTolerance, "off by \(error)")
  }

  /// A wrong element of a gradient shows in the slope along a random direction, so each tensor is tried along one, and
  /// then all together. The loss is a weighted sum of the logits; `PixelLossTests` has the rest of the chain.
  @Test(arguments: try ExampleNetwork.all())
  func gradientsAreTheSlopesOfThePlainNetwork(example: ExampleNetwork) {
    let run = example.run()
    let layout = example.network.layout
    let gradient = FloatBuffer(count: layout.count)
    run.forward(example.levels, plan: example.plan)
    var random = KeyedGenerator(testCase: 2)
    let weights = random.values(run.workspace.dLogits.count)
    run.workspace.dLogits.copy(from: Matrix(FloatBuffer(weights), rows: 1, columns: weights.count))
    run.backward(plan: example.plan, into: gradient)

    let plain = PlainNetwork(example, dropout: ExampleNetwork.dropoutGenerator)
    let directions = layout.entries.map { random.values($0.count) }
    for part in layout.entries.indices.map({ [$0] }) + [Array(layout.entries.indices)] {
      func loss(_ distance: Double) -> Double {
        var moved = plain
        for index in part {
          moved.parameters[layout.entries[index].name]? = zip(
            plain.parameters[layout.entries[index].name, default: []], directions[index]
          ).map { $0 + distance * Double($1) }
        }
        return zip(moved.logits(example.levels), weights).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      let found = CentralDifference.gradient(at: [0], step: 1e-6) { loss($0[0]) }[0]
      var slope = 0.0
      var gradientSquares = 0.0
      var directionSquares = 0.0
      for index in part {
        for (g, d) in zip(layout.fileValues(of: layout.entries[index], in: gradient), directions[index]) {
          slope += Double(g) * Double(d)
          gradientSquares += Double(g) * Double(g)
          directionSquares += Double(d) * Double(d)
        }
      }
      // The root mean square of slopes along directions of this length.
      let elements = part.reduce(0) { $0 + layout.entries[$1].count }
      let typical = (gradientSquares * directionSquares / Double(elements)).squareRoot()
      let name = part.count == 1 ? layout.entries[part[0]].name : "all parameters"
      #expect(
        abs(found - slope) < Golden.modelTolerance * typical, "\(name): \(slope), slope \(found), typically \(typical)")
    }
  }
}
