/// Where every named parameter lies in one flat vector, in the order the forward pass first uses them. One vector means
/// one reduction, one optimizer pass and one checkpoint.
public struct ParameterLayout: Sendable, Equatable {
  /// One named parameter.
  public struct Entry: Sendable, Equatable {
    /// The reference's state-dict name, such as `u_init.weight`.
    public let name: String
    /// Shape in files, outermost first, such as `[out, in, k, k]`.
    public let shape: [Int]
    /// Place in the flat vector.
    public let range: Range<Int>
    /// Whether memory holds a convolution weight tap-major `[k * k, in, out]` while files hold `[out, in, k, k]`.
    public let isTapMajor: Bool
  }

  /// All parameters, without gaps.
  public private(set) var entries: [Entry] = []
  /// Length of the flat vector.
  public private(set) var count = 0

  /// An empty layout.
  public init() {}

  /// Appends a parameter and returns its place.
  public mutating func append(name: String, shape: [Int], isTapMajor: Bool = false) -> Range<Int> {
    let range = count..<(count + shape.reduce(1, *))
    entries.append(Entry(name: name, shape: shape, range: range, isTapMajor: isTapMajor))
    count = range.upperBound
    return range
  }

  /// The values of `entry` in `buffer` in the files' element order.
  public func fileValues(of entry: Entry, in buffer: FloatBuffer) -> [Float] {
    let values = buffer.values(in: entry.range)
    guard entry.isTapMajor else { return values }
    let (outputs, inputs, taps) = Self.dimensions(entry)
    var file = [Float](repeating: 0, count: values.count)  // [out, in, taps]
    for tap in 0..<taps {
      for input in 0..<inputs {
        for output in 0..<outputs {
          file[(output * inputs + input) * taps + tap] = values[(tap * inputs + input) * outputs + output]
        }
      }
    }
    return file
  }

  /// Writes `values`, in the files' element order, to the place of `entry` in `buffer`.
  public func setFileValues(_ values: [Float], of entry: Entry, in buffer: FloatBuffer) {
    precondition(values.count == entry.range.count, "\(entry.name): \(values.count) values for \(entry.range.count)")
    guard entry.isTapMajor else {
      buffer.write(values, at: entry.range.lowerBound)
      return
    }
    let (outputs, inputs, taps) = Self.dimensions(entry)
    var memory = [Float](repeating: 0, count: values.count)  // [taps, in, out]
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<taps {
          memory[(tap * inputs + input) * outputs + output] = values[(output * inputs + input) * taps + tap]
        }
      }
    }
    buffer.write(memory, at: entry.range.lowerBound)
  }

  private static func dimensions(_ entry: Entry) -> (outputs: Int, inputs: Int, taps: Int) {
    (entry.shape[0], entry.shape[1], entry.shape[2] * entry.shape[3])
  }
}
