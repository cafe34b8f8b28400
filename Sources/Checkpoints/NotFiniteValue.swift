import Foundation
import Tensors

/// A tensor's value that is infinite or not a number.
public struct NotFiniteValue: Equatable, Sendable, CustomStringConvertible {
  /// The tensor.
  public let tensor: String
  /// Its place in the tensor, row-major.
  public let index: Int
  /// The value.
  public let value: Double

  /// Such as `nan at element 7 of 'u_init.weight'`.
  public var description: String { "\(value) at element \(index) of '\(tensor)'" }

  /// Values of any kind of not-a-number are the same.
  public static func == (left: NotFiniteValue, right: NotFiniteValue) -> Bool {
    left.tensor == right.tensor && left.index == right.index
      && (left.value == right.value || left.value.isNaN && right.value.isNaN)
  }
}

extension SafetensorsFile {
  /// The first value of each tensor that has one that is infinite or not a number, in the order of the names.
  var notFiniteValues: some Sequence<NotFiniteValue> {
    sortedTensors.lazy.compactMap { name, tensor in
      tensor.firstNotFinite.map { NotFiniteValue(tensor: name, index: $0.index, value: $0.value) }
    }
  }
}

extension SafetensorsFile.Tensor {
  fileprivate var firstNotFinite: (index: Int, value: Double)? {
    bytes.withUnsafeBytes { bytes in
      switch type {
      case .float32:
        return bytes.firstNotFiniteFloat.map {
          ($0, Double(bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self)))
        }
      case .float64:
        func value(_ index: Int) -> Double { bytes.loadUnaligned(fromByteOffset: 8 * index, as: Double.self) }
        return (0..<(bytes.count / 8)).first { !value($0).isFinite }.map { ($0, value($0)) }
      case .int64, .int32, .uint8: return nil
      }
    }
  }
}

extension CheckpointContents {
  /// The first value that is infinite or not a number, with its file; nil if all are finite.
  var firstNotFinite: (file: String, value: NotFiniteValue)? {
    for (part, content) in files {
      if let found = content.notFiniteValues.first(where: { _ in true }) { return (part.rawValue, found) }
    }
    return nil
  }
}
