import Checkpoints
import Foundation

/// The values of a tensor in a few numbers.
struct TensorSummary: Encodable {
  let name: String
  let type: String
  let shape: [Int]
  /// Euclidean norm of the finite values.
  let norm: Double
  /// The least and the greatest finite value; nil if there is none.
  let minimum: Double?
  let maximum: Double?
  /// Values that are infinite or not a number.
  let notFinite: Int

  enum CodingKeys: String, CodingKey {
    case name, type, shape, norm, minimum, maximum
    case notFinite = "not_finite"
  }

  init(name: String, _ tensor: SafetensorsFile.Tensor) {
    self.name = name
    type = tensor.type.rawValue
    shape = tensor.shape
    var squares = 0.0
    var least = Double.infinity
    var greatest = -Double.infinity
    var notFinite = 0
    for value in Self.values(of: tensor) {
      guard value.isFinite else {
        notFinite += 1
        continue
      }
      squares += value * value
      least = min(least, value)
      greatest = max(greatest, value)
    }
    norm = squares.squareRoot()
    minimum = least <= greatest ? least : nil
    maximum = least <= greatest ? greatest : nil
    self.notFinite = notFinite
  }

  /// The summaries in columns, with a heading.
  static func table(of summaries: [TensorSummary]) -> String {
    let heading = ["tensor", "type", "shape", "norm", "min", "max", "not finite"]
    return TextTable.text(
      [heading]
        + summaries.map { summary in
          [
            summary.name, summary.type, summary.shape.map(String.init).joined(separator: "x"), number(summary.norm),
            summary.minimum.map(number) ?? "-", summary.maximum.map(number) ?? "-", "\(summary.notFinite)",
          ]
        }, rightAligned: [3, 4, 5, 6])
  }

  private static func number(_ value: Double) -> String { String(format: "%.4g", value) }

  private static func values(of tensor: SafetensorsFile.Tensor) -> [Double] {
    func read<Element: BitwiseCopyable>(_ type: Element.Type, _ convert: (Element) -> Double) -> [Double] {
      tensor.bytes.withUnsafeBytes { bytes in
        stride(from: 0, to: bytes.count, by: MemoryLayout<Element>.stride).map {
          convert(bytes.loadUnaligned(fromByteOffset: $0, as: type))
        }
      }
    }
    switch tensor.type {
    case .float64: return read(Double.self) { $0 }
    case .float32: return read(Float.self) { Double($0) }
    case .int64: return read(Int64.self) { Double($0) }
    case .int32: return read(Int32.self) { Double($0) }
    case .uint8: return read(UInt8.self) { Double($0) }
    }
  }
}
