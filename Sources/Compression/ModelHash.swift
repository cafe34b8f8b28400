import Model
import Tensors

/// Tells one model from another: 128 bits of the SHA-256 of all that the network computes from.
public struct ModelHash: Hashable, Sendable, CustomStringConvertible {
  static let byteCount = 16

  let bytes: [UInt8]

  /// The hash of `network`'s configuration and of the names, shapes and values of `parameters`.
  ///
  /// Dropout has no part in it: it acts in training only.
  public init(network: LocallyMaskedPixelCNN, parameters: FloatBuffer) {
    let configuration = network.configuration
    var hash = SHA256()
    let distribution =
      switch configuration.distribution {
      case .binary: "binary"
      case .logisticMixture(let mixtures, let bits): "logistic_mixture \(mixtures) \(bits)"
      }
    let function = """
      channels \(configuration.channels) filters \(configuration.filters) blocks \(configuration.blocks) kernel \
      \(configuration.kernel) dilation \(configuration.dilation) normalization \(configuration.normalization.rawValue) \
      bias \(configuration.bias) mask_weight \(configuration.maskWeight) distribution \(distribution)\n
      """
    hash.update(Array(function.utf8))
    for entry in network.layout.entries {
      hash.update(Array("\(entry.name) \(entry.shape)\n".utf8))
      let values = network.layout.fileValues(of: entry, in: parameters).map { $0.bitPattern.littleEndian }
      hash.update(values.withUnsafeBytes { Array($0) })
    }
    bytes = Array(hash.finish().prefix(Self.byteCount))
  }

  init(bytes: [UInt8]) {
    precondition(bytes.count == Self.byteCount, "ModelHash: \(bytes.count) bytes")
    self.bytes = bytes
  }

  /// The hash as 32 hexadecimal digits.
  public var description: String { bytes.map { hexadecimal(UInt32($0), digits: 2) }.joined() }
}

/// `value` with leading zeros, without a prefix.
func hexadecimal(_ value: UInt32, digits: Int) -> String {
  let text = String(value, radix: 16)
  return String(repeating: "0", count: max(0, digits - text.count)) + text
}
