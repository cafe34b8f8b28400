import Tensors
import Testing

@Suite struct ParameterLayoutTests {
  @Test func parametersFollowEachOtherOnCacheLines() {
    var layout = ParameterLayout()
    // Four outputs are one panel of 16: 9 taps * 3 inputs * 16.
    #expect(layout.append(name: "conv.weight", shape: [4, 3, 3, 3], storage: .panels) == 0..<432)
    #expect(layout.append(name: "conv.bias", shape: [4]) == 432..<436)
    #expect(layout.append(name: "scale", shape: []) == 448..<449)
    #expect(layout.append(name: "mask_weight", shape: [17, 3, 3], storage: .maskPanels) == 464..<752)
    #expect(layout.count == 752)
    #expect(layout.parameterCount == 108 + 4 + 1 + 153)
    #expect(layout.entries.map(\.name) == ["conv.weight", "conv.bias", "scale", "mask_weight"])
  }

  @Test(arguments: [(4, 3), (16, 2), (35, 5)])
  func weightsArePanelsInMemory(outputs: Int, inputs: Int) {
    let side = 5
    let taps = side * side
    var layout = ParameterLayout()
    let before = layout.append(name: "before", shape: [7])
    let range = layout.append(name: "weight", shape: [outputs, inputs, side, side], storage: .panels)
    let after = layout.append(name: "after", shape: [2])
    let buffer = FloatBuffer(count: layout.count)
    buffer.fill(-1)
    let file = (0..<(outputs * inputs * taps)).map { Float($0 + 1) }
    layout.setFileValues(file, of: layout.entries[1], in: buffer)

    var written = 0
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<taps {
          let inFile = (output * inputs + input) * taps + tap  // [out, in, k, k]
          let inMemory = ((output / 16 * taps + tap) * inputs + input) * 16 + output % 16  // [panels, taps, in, 16]
          #expect(buffer[range.lowerBound + inMemory] == file[inFile])
          written += 1
        }
      }
    }
    #expect(buffer.values(in: range).count { $0 == 0 } == range.count - written, "padding is zero")
    #expect(layout.fileValues(of: layout.entries[1], in: buffer) == file)
    #expect(buffer.values(in: before) == [Float](repeating: -1, count: 7))
    #expect(buffer.values(in: after) == [-1, -1])
  }

  @Test func otherParametersAreInTheFilesOrder() {
    var layout = ParameterLayout()
    let range = layout.append(name: "lin_a.weight_g", shape: [2, 3])
    let buffer = FloatBuffer(count: layout.count)
    layout.setFileValues([1, 2, 3, 4, 5, 6], of: layout.entries[0], in: buffer)
    #expect(buffer.values(in: range) == [1, 2, 3, 4, 5, 6])
    #expect(layout.fileValues(of: layout.entries[0], in: buffer) == [1, 2, 3, 4, 5, 6])
  }
}
