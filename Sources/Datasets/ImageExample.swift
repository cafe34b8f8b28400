import Foundation
import Imaging
import Orders
import SwiftProtobuf
import TensorFlowFormats

/// The image in a tf.train.Example of Glow's data sets: feature `shape`, three integers [rows, columns, channels], and
/// feature `data`, the pixels in this order, a byte for each channel. Other features, such as labels, are passed over.
package enum ImageExample {
  /// What is wrong with an example.
  package enum Fault: Error, Equatable, CustomStringConvertible {
    case notAnExample(reason: String)
    case missing(feature: String, expected: String)
    case impossibleShape([Int64])
    case wrongSize(shape: [Int64], found: Int)

    package var description: String {
      switch self {
      case .notAnExample(let reason): return "not a tf.train.Example (\(reason))"
      case .missing(let feature, let expected): return "no feature '\(feature)' with \(expected)"
      case .impossibleShape(let shape):
        return "feature 'shape' is \(shape), expected rows, columns and 1 to 4 channels"
      case .wrongSize(let shape, let found):
        return "feature 'data' has \(found) bytes, its shape \(shape) asks for \(shape.reduce(1, *))"
      }
    }
  }

  private static let possibleSides: ClosedRange<Int64> = 1...65_536

  /// The picture in the message `bytes`.
  package static func picture(_ bytes: [UInt8]) throws(Fault) -> PNGImage {
    let example: TFExample
    do { example = try TFExample(serializedBytes: bytes) } catch { throw .notAnExample(reason: "\(error)") }
    guard case .int64List(let list)? = example.features.feature["shape"]?.kind else {
      throw .missing(feature: "shape", expected: "integers")
    }
    guard case .bytesList(let data)? = example.features.feature["data"]?.kind, data.value.count == 1 else {
      throw .missing(feature: "data", expected: "one string of bytes")
    }
    let shape = list.value
    guard shape.count == 3, shape[0...1].allSatisfy(possibleSides.contains), (1...4).contains(shape[2]) else {
      throw .impossibleShape(shape)
    }
    let size = ImageSize(rows: Int(shape[0]), columns: Int(shape[1]))
    let channels = Int(shape[2])
    guard data.value[0].count == size.pixels * channels else {
      throw .wrongSize(shape: shape, found: data.value[0].count)
    }
    return PNGImage(size: size, channels: channels, pixels: [UInt8](data.value[0]))
  }
}
