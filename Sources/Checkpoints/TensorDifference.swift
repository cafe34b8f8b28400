import Foundation

/// How a tensor of one file differs from the tensor of the same name in another.
public struct TensorDifference: Encodable, Sendable, Equatable {
  /// The file, such as `model.safetensors`.
  public let file: String
  /// The tensor.
  public let tensor: String
  /// What differs, other than values; nil if only they do.
  public let kind: String?
  /// Elements that differ in any bit.
  public let elements: Int
  /// Elements of the tensor.
  public let count: Int
  /// The largest difference of two values; not a number where one of them is.
  public let largestDifference: Double
  /// The largest number of floating point values between two, counting one of them.
  public let largestUlps: UInt64

  enum CodingKeys: String, CodingKey {
    case file, tensor, kind, elements, count
    case largestDifference = "largest_difference"
    case largestUlps = "largest_ulps"
  }

  /// The tensors that differ between `left` and `right`, in the order of their names.
  public static func differences(
    of file: String, _ left: SafetensorsFile, _ right: SafetensorsFile
  ) -> [TensorDifference] {
    Set(left.tensors.keys).union(right.tensors.keys).sorted().compactMap { name in
      switch (left.tensors[name], right.tensors[name]) {
      case (let a?, let b?) where a == b: return nil
      case (let a?, let b?) where a.type == b.type && a.shape == b.shape: return TensorDifference(file, name, a, b)
      case (let a?, let b?):
        return TensorDifference(file, name, kind: "\(a.shape) \(a.type.rawValue) and \(b.shape) \(b.type.rawValue)")
      case (nil, _): return TensorDifference(file, name, kind: "only in the second")
      case (_, nil): return TensorDifference(file, name, kind: "only in the first")
      }
    }
  }

  private init(_ file: String, _ tensor: String, kind: String) {
    self.file = file
    self.tensor = tensor
    self.kind = kind
    elements = 0
    count = 0
    largestDifference = 0
    largestUlps = 0
  }

  /// Of tensors of one type and shape.
  private init(_ file: String, _ tensor: String, _ left: SafetensorsFile.Tensor, _ right: SafetensorsFile.Tensor) {
    var elements = 0
    var difference = 0.0
    var ulps: UInt64 = 0
    func compare<Element: BitwiseCopyable>(
      _ type: Element.Type, bits: (Element) -> UInt64, value: (Element) -> Double
    ) {
      left.bytes.withUnsafeBytes { a in
        right.bytes.withUnsafeBytes { b in
          for offset in stride(from: 0, to: a.count, by: MemoryLayout<Element>.stride) {
            let x = a.loadUnaligned(fromByteOffset: offset, as: type)
            let y = b.loadUnaligned(fromByteOffset: offset, as: type)
            let (xBits, yBits) = (bits(x), bits(y))
            guard xBits != yBits else { continue }
            elements += 1
            let between = abs(value(x) - value(y))
            if !(between <= difference) && !difference.isNaN { difference = between }
            ulps = max(ulps, xBits > yBits ? xBits - yBits : yBits - xBits)
          }
        }
      }
    }
    switch left.type {
    case .float32: compare(Float.self, bits: { UInt64(Self.rank($0)) }, value: { Double($0) })
    case .float64: compare(Double.self, bits: Self.rank, value: { $0 })
    case .int64: compare(Int64.self, bits: { UInt64(bitPattern: $0) ^ 1 << 63 }, value: { Double($0) })
    case .int32: compare(Int32.self, bits: { UInt64(UInt32(bitPattern: $0) ^ 1 << 31) }, value: { Double($0) })
    case .uint8: compare(UInt8.self, bits: { UInt64($0) }, value: { Double($0) })
    }
    self.file = file
    self.tensor = tensor
    kind = nil
    self.elements = elements
    count = left.shape.reduce(1, *)
    largestDifference = difference
    largestUlps = ulps
  }

  /// Place of `value` among all floats in ascending order, -0 before +0.
  private static func rank(_ value: Float) -> UInt32 {
    value.sign == .minus ? ~value.bitPattern : value.bitPattern | 1 << 31
  }

  private static func rank(_ value: Double) -> UInt64 {
    value.sign == .minus ? ~value.bitPattern : value.bitPattern | 1 << 63
  }
}
