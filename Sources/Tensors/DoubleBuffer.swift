/// A fixed block of doubles: sums and likelihoods that several threads fill in disjoint places.
///
/// A class with the rule of `FloatBuffer`: while one thread writes an element, no other touches it.
public final class DoubleBuffer: @unchecked Sendable {
  /// Number of doubles.
  public let count: Int
  private let base: UnsafeMutablePointer<Double>

  /// A buffer of `count` zeros.
  public init(count: Int) {
    precondition(count >= 0, "DoubleBuffer: negative count \(count)")
    self.count = count
    base = UnsafeMutablePointer<Double>.allocate(capacity: max(count, 1))
    base.initialize(repeating: 0, count: max(count, 1))
  }

  deinit { base.deallocate() }

  /// The element at `index`.
  public subscript(index: Int) -> Double {
    get {
      precondition(index >= 0 && index < count, "DoubleBuffer: index \(index) outside 0..<\(count)")
      return base[index]
    }
    set {
      precondition(index >= 0 && index < count, "DoubleBuffer: index \(index) outside 0..<\(count)")
      base[index] = newValue
    }
  }

  /// The sum of the elements of `range`, in order.
  public func sum(in range: Range<Int>) -> Double {
    var total = 0.0
    for index in range { total += self[index] }
    return total
  }
}
