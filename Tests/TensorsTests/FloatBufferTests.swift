import Tensors
import Testing

@Suite struct FloatBufferTests {
  @Test(arguments: [0, 1, 17]) func aBufferIsZeroAndStartsACacheLine(count: Int) {
    let buffer = FloatBuffer(count: count)
    #expect(buffer.values == [Float](repeating: 0, count: count))
    #expect(UInt(bitPattern: buffer.base) % 64 == 0)
  }

  @Test func aCopyHasStorageOfItsOwn() {
    let buffer = FloatBuffer(count: 4)
    buffer.write([1, 2], at: 1)
    let copy = FloatBuffer(count: 4)
    copy.copy(from: buffer)
    buffer.fill(9)
    #expect(copy.values == [0, 1, 2, 0])
  }
}
