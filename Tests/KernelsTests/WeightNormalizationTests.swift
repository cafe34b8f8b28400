import Foundation
import Kernels
import Tensors
import TestSupport
import Testing

struct WeightNormalizationTests {
  struct Example: CustomStringConvertible {
    let outputs: Int
    let inputs: Int
    let side: Int
    let layout: ParameterLayout
    let parameters: FloatBuffer

    static let all = [(1, 1, 1), (3, 5, 3), (8, 2, 5), (15, 7, 1), (16, 6, 3), (17, 3, 3), (40, 4, 1), (70, 2, 3)].map(
      Example.init)

    init(outputs: Int, inputs: Int, side: Int) {
      self.outputs = outputs
      self.inputs = inputs
      self.side = side
      var layout = ParameterLayout()
      layout.append(name: "gain", shape: [outputs, 1, 1, 1])
      layout.append(name: "direction", shape: [outputs, inputs, side, side], storage: .panels)
      self.layout = layout
      var random = KeyedGenerator(testCase: outputs)
      parameters = FloatBuffer(count: layout.count)
      for entry in layout.entries { layout.setFileValues(random.values(entry.count), of: entry, in: parameters) }
    }

    var description: String { "\(inputs) -> \(outputs) channels, side \(side)" }
    var gain: [Double] { layout.fileValues(of: layout.entries[0], in: parameters).map(Double.init) }
    var direction: [Double] { layout.fileValues(of: layout.entries[1], in: parameters).map(Double.init) }

    func view(_ entry: Int, of buffer: FloatBuffer) -> Matrix {
      let range = layout.entries[entry].range
      return entry == 0
        ? Matrix(buffer, offset: range.lowerBound, rows: 1, columns: range.count)
        : Matrix(buffer, offset: range.lowerBound, rows: range.count / Panels.width, columns: Panels.width)
    }

    /// w = g v / |v| for one output channel.
    static func plain(gain: Double, direction: [Double]) -> [Double] {
      let norm = direction.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return direction.map { gain * $0 / norm }
    }
  }

  @Test(arguments: Example.all)
  func weightHasTheGainAsItsNorm(example: Example) {
    let result = FloatBuffer(count: example.layout.count)
    WeightNormalization.forward(
      direction: example.view(1, of: example.parameters), gain: example.view(0, of: example.parameters),
      weight: example.view(1, of: result), outputs: example.outputs, pool: ThreadPool(threads: 2))
    let size = example.direction.count / example.outputs
    expectClose(
      example.layout.fileValues(of: example.layout.entries[1], in: result),
      (0..<example.outputs).flatMap { output in
        Example.plain(
          gain: example.gain[output], direction: Array(example.direction[(output * size)..<((output + 1) * size)]))
      })
  }

  @Test(arguments: Example.all, [false, true])
  func backwardIsTheDerivative(example: Example, isInPlace: Bool) {
    var random = KeyedGenerator(testCase: 0)
    let (layout, outputs) = (example.layout, example.outputs)
    let dWeight = random.values(layout.entries[1].count)
    let given = FloatBuffer(count: layout.count)
    layout.setFileValues(dWeight, of: layout.entries[1], in: given)
    let result = isInPlace ? given : FloatBuffer(count: layout.count)
    WeightNormalization.backward(
      direction: example.view(1, of: example.parameters), gain: example.view(0, of: example.parameters),
      dWeight: example.view(1, of: given), dDirection: example.view(1, of: result),
      dGain: example.view(0, of: result), outputs: outputs, pool: ThreadPool(threads: 2))
    let size = dWeight.count / outputs
    var dGain: [Double] = []
    var dDirection: [Double] = []
    for output in 0..<outputs {
      let range = (output * size)..<((output + 1) * size)
      let slopes = CentralDifference.gradient(at: [example.gain[output]] + example.direction[range]) { moved in
        let weight = Example.plain(gain: moved[0], direction: Array(moved[1...]))
        return zip(weight, dWeight[range]).reduce(0) { $0 + $1.0 * Double($1.1) }
      }
      dGain.append(slopes[0])
      dDirection += slopes[1...]
    }
    expectClose(layout.fileValues(of: layout.entries[0], in: result), dGain)
    expectClose(layout.fileValues(of: layout.entries[1], in: result), dDirection)
  }
}
