import Tensors
import Testing

struct FiniteValuesTests {
  @Test(arguments: [0, 1, 4095, 4096, 4097, 9999], [Float.nan, .infinity, -.infinity, .signalingNaN])
  func theFirstValueThatIsNotFiniteIsFound(index: Int, value: Float) {
    let buffer = FloatBuffer(count: 10_000)
    buffer.fill(.greatestFiniteMagnitude)
    #expect(buffer.firstNotFinite(in: 0..<10_000) == nil)
    buffer[index] = value
    buffer[9999] = .nan
    #expect(buffer.firstNotFinite(in: 0..<10_000) == index)
    #expect(buffer.firstNotFinite(in: 0..<index) == nil)
  }

  @Test func aMatrixNamesRowAndColumn() {
    let matrix = Matrix(FloatBuffer(count: 20), offset: 3, rows: 4, columns: 4)
    matrix.buffer[2] = .nan
    #expect(matrix.firstNotFinite == nil)
    matrix[2, 3] = .infinity
    #expect(matrix.firstNotFinite ?? (0, 0) == (2, 3))
  }
}
