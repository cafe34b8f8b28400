import Foundation
import SwiftProtobuf
import TensorFlowFormats

/// What is shown under one tag at one step: a Summary.Value of tensorflow/core/framework/summary.proto.
public enum SummaryValue: Sendable, Equatable {
  /// A number, kept in single precision.
  case scalar(Double)
  /// An encoded picture, such as a PNG file's bytes.
  case image(rows: Int, columns: Int, channels: Int, encoded: [UInt8])
  /// Where a tensor's values lie.
  case histogram(ValueHistogram)

  /// The message of `tag`.
  func message(tag: String) -> TFSummary.Value {
    .with {
      $0.tag = tag
      switch self {
      case .scalar(let value): $0.simpleValue = Float(value)
      case .image(let rows, let columns, let channels, let encoded):
        $0.image = .with {
          $0.height = Int32(rows)
          $0.width = Int32(columns)
          $0.colorspace = Int32(channels)
          $0.encodedImageString = Data(encoded)
        }
      case .histogram(let histogram):
        $0.histo = .with {
          $0.min = Double(histogram.least)
          $0.max = Double(histogram.largest)
          $0.num = Double(histogram.count)
          $0.sum = histogram.sum
          $0.sumSquares = histogram.sumOfSquares
          let buckets = histogram.buckets
          $0.bucketLimit = buckets.map(\.limit)
          $0.bucket = buckets.map { Double($0.count) }
        }
      }
    }
  }
}

/// A record of an event file: an Event of tensorflow/core/util/event.proto.
enum Event {
  /// The first record of a file.
  case version
  /// A new session: all that the folder's files hold of `firstStep` and later steps is void.
  case start(firstStep: Int)
  /// What step `step` has to show, by tag.
  case summary(step: Int, [(tag: String, value: SummaryValue)])

  /// The message at `seconds` since 1970.
  func message(seconds: Double) -> TFEvent {
    .with {
      $0.wallTime = seconds
      switch self {
      case .version: $0.fileVersion = "brain.Event:2"
      case .start(let firstStep):
        $0.step = Int64(firstStep)
        $0.sessionLog = .with { $0.status = .start }
      case .summary(let step, let values):
        $0.step = Int64(step)
        $0.summary = .with { $0.value = values.map { $0.value.message(tag: $0.tag) } }
      }
    }
  }
}
