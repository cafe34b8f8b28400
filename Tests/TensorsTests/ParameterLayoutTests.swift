import Tensors
import Testing

@Suite struct ParameterLayoutTests {
  @Test func parametersFollowEachOtherWithoutGaps() {
    var layout = ParameterLayout()
    #expect(layout.append(name: "conv.weight", shape: [4, 3, 3, 3], isTapMajor: true) == 0..<108)
    #expect(layout.append(name: "conv.bias", shape: [4]) == 108..<112)
    #expect(layout.append(name: "scale", shape: []) == 112..<113)
    #expect(layout.count == 113)
    #expect(layout.entries.map(\.name) == ["conv.weight", "conv.bias", "scale"])
  }

  @Test func convolutionWeightsAreTapMajorInMemory() {
    let (outputs, inputs, side) = (4, 3, 5)
    var layout = ParameterLayout()
    _ = layout.append(name: "before", shape: [7])
    let range = layout.append(name: "weight", shape: [outputs, inputs, side, side], isTapMajor: true)
    _ = layout.append(name: "after", shape: [2])
    let buffer = FloatBuffer(count: layout.count)
    buffer.fill(-1)
    let file = (0..<range.count).map { Float($0) }
    layout.setFileValues(file, of: layout.entries[1], in: buffer)

    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<(side * side) {
          let inFile = (output * inputs + input) * side * side + tap  // [out, in, k, k]
          let inMemory = (tap * inputs + input) * outputs + output  // [k * k, in, out]
          #expect(buffer[range.lowerBound + inMemory] == file[inFile])
        }
      }
    }
    #expect(layout.fileValues(of: layout.entries[1], in: buffer) == file)
    #expect(buffer.values(in: 0..<7) == [Float](repeating: -1, count: 7))
    #expect(buffer.values(in: range.upperBound..<layout.count) == [-1, -1])
  }

  @Test func otherParametersAreInTheFilesOrder() {
    var layout = ParameterLayout()
    let range = layout.append(name: "lin_a.weight_v", shape: [2, 3])
    let buffer = FloatBuffer(count: layout.count)
    layout.setFileValues([1, 2, 3, 4, 5, 6], of: layout.entries[0], in: buffer)
    #expect(buffer.values(in: range) == [1, 2, 3, 4, 5, 6])
    #expect(layout.fileValues(of: layout.entries[0], in: buffer) == [1, 2, 3, 4, 5, 6])
  }
}
