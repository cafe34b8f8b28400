import Kernels
import Tensors
import TestSupport
import Testing

/// The loops that a processor may run in another instruction set against those that all run. Where it has none but the
/// common one, both are the same code.
struct MicrokernelTests {
  @Test(arguments: [1, 4, 15, 16, 17, 40, 321])
  func rowsAreTheSameBitsInAnyInstructionSet(inputs: Int) {
    var random = KeyedGenerator(testCase: inputs)
    let x = random.matrix(rows: 6, columns: inputs)
    let weights = random.matrix(rows: inputs, columns: 16)
    let y = random.matrix(rows: 6, columns: 16)
    let expected = Matrix(rows: 6, columns: 16)
    expected.copy(from: y)
    MicrokernelRows.accumulatePortably(
      inputs: inputs, weights: weights.base, x: inputRows(x), y: outputRows(expected))
    MicrokernelRows.accumulate(inputs: inputs, weights: weights.base, x: inputRows(x), y: outputRows(y))
    #expect(bits(y) == bits(expected))
  }

  @Test(.enabled(if: InstructionSet.hasAVX512), arguments: [1, 2, 3, 4, 5, 200], [0, 3, 7])
  func outerProductsAreTheSameBitsInAnyInstructionSet(rows: Int, firstStored: Int) {
    var random = KeyedGenerator(testCase: rows)
    let channels = MicrokernelOuter.wideChannels
    let (stride, pixels) = (channels + 3, rows + 5)
    let x = random.matrix(rows: pixels, columns: stride)
    let dy = random.matrix(rows: rows, columns: 16)
    let sum = random.matrix(rows: channels, columns: 16)
    let expected = Matrix(rows: channels, columns: 16)
    expected.copy(from: sum)
    let list = (0..<rows).map { Int32(($0 * 3 + 1) % pixels) }
    list.withUnsafeBufferPointer { list in
      guard let list = list.baseAddress else { return }
      for channel in firstStored..<channels {
        MicrokernelOuter.accumulateOne(
          pixels: list, rows: rows, x: x.base + 2 + channel, stride: stride, dy: dy.base,
          sum: expected.base + 16 * channel)
      }
      MicrokernelOuter.accumulateWide(
        pixels: list, rows: rows, x: x.base + 2, stride: stride, dy: dy.base, sum: sum.base, firstStored: firstStored)
    }
    #expect(bits(sum) == bits(expected))
  }

  private func inputRows(_ matrix: Matrix) -> MicrokernelRows.InputRows {
    let (row, columns) = (UnsafePointer(matrix.base), matrix.columns)
    return (row, row + columns, row + 2 * columns, row + 3 * columns, row + 4 * columns, row + 5 * columns)
  }

  private func outputRows(_ matrix: Matrix) -> MicrokernelRows.OutputRows {
    let (row, columns) = (matrix.base, matrix.columns)
    return (row, row + columns, row + 2 * columns, row + 3 * columns, row + 4 * columns, row + 5 * columns)
  }

  private func bits(_ matrix: Matrix) -> [UInt32] { matrix.values.map(\.bitPattern) }
}
