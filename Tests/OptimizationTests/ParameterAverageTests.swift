import Tensors
import Testing

import Optimization

struct ParameterAverageTests {
  @Test func everyParameterIsAveraged() {
    let count = 29
    let parameters = FloatBuffer((0..<count).map { Float($0) })
    var average = ParameterAverage(of: parameters, ranges: [0..<10, 10..<count], decay: 0.75)
    #expect(average.values.storage.values == parameters.values)
    for index in 0..<count { parameters[index] += 4 }
    average.update(parameters)
    // 0.75 x + 0.25 (x + 4): exact in binary.
    #expect(average.values.storage.values == (0..<count).map { Float($0) + 1 })
  }

  @Test func warmUpForgetsTheFirstParameters() {
    let parameters = FloatBuffer([11])
    var average = ParameterAverage(of: parameters, ranges: [0..<1], decay: 0.25, warmsUp: true)
    parameters[0] = 0
    average.update(parameters)
    #expect(abs(average.values.storage[0] - 2) < 1e-6)  // (1 + 1) / (10 + 1)
    average.update(parameters)
    #expect(abs(average.values.storage[0] - 0.5) < 1e-6)  // (1 + 2) / (10 + 2) = the decay, and so on
    average.update(parameters)
    #expect(abs(average.values.storage[0] - 0.125) < 1e-6)
  }

  @Test func onlyOwnedRangesAreKept() {
    let average = ParameterAverage(of: FloatBuffer([1, 2, 3, 4]), ranges: [1..<2, 3..<4], decay: 0.9)
    let full = FloatBuffer(count: 4)
    average.values.store(into: full)
    #expect(full.values == [0, 2, 0, 4])
  }
}
