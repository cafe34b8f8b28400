/// Where every named parameter lies in one flat vector, in the order the forward pass first uses them. One vector means
/// one reduction, one optimizer pass and one checkpoint.
public struct ParameterLayout: Sendable, Equatable {
  /// How a parameter lies in memory.
  public enum Storage: Sendable, Equatable {
    /// As in files, row-major.
    case rowMajor
    /// A weight `[out, in, rest...]` in files, `Panels` in memory, where the rest are the taps.
    case panels
    /// A weight on the mask `[out, taps...]` in files, `Panels` with one input in memory.
    case maskPanels
  }

  /// One named parameter.
  public struct Entry: Sendable, Equatable {
    /// The reference's state-dict name, such as `u_init.weight`.
    public let name: String
    /// Shape in files, outermost first, such as `[out, in, k, k]`.
    public let shape: [Int]
    /// Place in the flat vector, padding included; begins at a multiple of 16.
    public let range: Range<Int>
    /// Layout in memory.
    public let storage: Storage

    /// Number of parameters, without padding.
    public var count: Int { shape.reduce(1, *) }

    /// Outputs, inputs and taps of a weight in panels.
    var dimensions: (outputs: Int, inputs: Int, taps: Int) {
      switch storage {
      case .rowMajor: return (count, 1, 1)
      case .panels: return (shape[0], shape[1], shape.dropFirst(2).reduce(1, *))
      case .maskPanels: return (shape[0], 1, shape.dropFirst(1).reduce(1, *))
      }
    }
  }

  /// All parameters in order.
  public private(set) var entries: [Entry] = []
  /// Length of the flat vector, padding included.
  public private(set) var count = 0

  /// An empty layout.
  public init() {}

  /// Number of parameters, without padding.
  public var parameterCount: Int { entries.reduce(0) { $0 + $1.count } }

  /// Appends a parameter and returns its place.
  @discardableResult
  public mutating func append(name: String, shape: [Int], storage: Storage = .rowMajor) -> Range<Int> {
    let parameters = shape.reduce(1, *)
    var entry = Entry(name: name, shape: shape, range: count..<(count + parameters), storage: storage)
    if storage != .rowMajor {
      let (outputs, inputs, taps) = entry.dimensions
      let elements = Panels.elements(taps: taps, inputs: inputs, outputs: outputs)
      entry = Entry(name: name, shape: shape, range: count..<(count + elements), storage: storage)
    }
    entries.append(entry)
    // Every parameter begins on a cache line, and a bias can be read a whole panel at a time.
    count = (entry.range.upperBound + Panels.width - 1) / Panels.width * Panels.width
    return entry.range
  }

  /// The values of `entry` in `buffer`, in the files' element order, without padding.
  public func fileValues(of entry: Entry, in buffer: FloatBuffer) -> [Float] {
    let values = buffer.values(in: entry.range)
    guard entry.storage != .rowMajor else { return values }
    var file = [Float](repeating: 0, count: entry.count)  // [out, in, taps]
    forEachWeight(of: entry) { fileIndex, memoryIndex in file[fileIndex] = values[memoryIndex] }
    return file
  }

  /// Writes `values`, in the files' element order, to the place of `entry` in `buffer`.
  public func setFileValues(_ values: [Float], of entry: Entry, in buffer: FloatBuffer) {
    precondition(values.count == entry.count, "\(entry.name): \(values.count) values for \(entry.count)")
    guard entry.storage != .rowMajor else {
      buffer.write(values, at: entry.range.lowerBound)
      return
    }
    var memory = [Float](repeating: 0, count: entry.range.count)  // panels
    forEachWeight(of: entry) { fileIndex, memoryIndex in memory[memoryIndex] = values[fileIndex] }
    buffer.write(memory, at: entry.range.lowerBound)
  }

  private func forEachWeight(of entry: Entry, _ body: (_ fileIndex: Int, _ memoryIndex: Int) -> Void) {
    let (outputs, inputs, taps) = entry.dimensions
    for output in 0..<outputs {
      for input in 0..<inputs {
        for tap in 0..<taps {
          body(
            (output * inputs + input) * taps + tap,
            Panels.index(tap: tap, input: input, output: output, taps: taps, inputs: inputs))
        }
      }
    }
  }
}
