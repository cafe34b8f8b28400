import Orders
import Tensors

extension KeyedGenerator {
  /// The random numbers of test case `number`: the same in every run.
  public init(testCase number: Int) { self.init(seed: 0x1A5C_0FFE, purpose: .sampling, step: number) }

  /// `count` uniform values in [-bound, bound).
  public mutating func values(_ count: Int, bound: Float = 1) -> [Float] {
    (0..<count).map { _ in (2 * uniform() - 1) * bound }
  }

  /// A matrix of uniform values in [-bound, bound).
  public mutating func matrix(rows: Int, columns: Int, bound: Float = 1) -> Matrix {
    Matrix(FloatBuffer(values(rows * columns, bound: bound)), rows: rows, columns: columns)
  }

  /// `count` uniform levels in 0..<`levels`.
  public mutating func levels(_ count: Int, below levels: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(integer(below: levels)) }
  }

  /// One of all orders of a `size` image, each with the same probability.
  public mutating func order(of size: ImageSize) throws -> GenerationOrder {
    try GenerationOrder(size: size, pixels: permutation(of: size.pixels))
  }
}
