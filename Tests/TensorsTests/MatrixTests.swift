import Tensors
import Testing

@Suite struct MatrixTests {
  @Test func aViewSeesItsPartOfTheBuffer() {
    let buffer = FloatBuffer((0..<12).map { Float($0) })
    let view = Matrix(buffer, offset: 3, rows: 2, columns: 4)
    #expect(view.values == [3, 4, 5, 6, 7, 8, 9, 10])
    #expect(view[1, 2] == 9)
    view[1, 2] = -1
    #expect(buffer[9] == -1)
    #expect(view.prefix(rows: 1).values == [3, 4, 5, 6])
  }

  @Test func fillingAViewLeavesTheRestOfTheBuffer() {
    let buffer = FloatBuffer(count: 6)
    Matrix(buffer, offset: 2, rows: 1, columns: 3).fill(2)
    #expect(buffer.values == [0, 0, 2, 2, 2, 0])
  }
}
