/// What is shown under one tag at one step: a Summary.Value of tensorflow/core/framework/summary.proto.
public enum SummaryValue: Sendable, Equatable {
  /// A number, kept in single precision.
  case scalar(Double)
  /// An encoded picture, such as a PNG file's bytes.
  case image(rows: Int, columns: Int, channels: Int, encoded: [UInt8])
  /// Where a tensor's values lie.
  case histogram(ValueHistogram)

  /// The message Summary.Value of `tag`. Field numbers are those of the .proto file.
  func message(tag: String) -> WireMessage {
    var message = WireMessage()
    message.append(1, text: tag)
    switch self {
    case .scalar(let value): message.append(2, float: Float(value))
    case .image(let rows, let columns, let channels, let encoded):
      var image = WireMessage()
      image.append(1, integer: rows)
      image.append(2, integer: columns)
      image.append(3, integer: channels)
      image.append(4, bytes: encoded)
      message.append(4, image)
    case .histogram(let histogram):
      var proto = WireMessage()
      proto.append(1, double: Double(histogram.least))
      proto.append(2, double: Double(histogram.largest))
      proto.append(3, double: Double(histogram.count))
      proto.append(4, double: histogram.sum)
      proto.append(5, double: histogram.sumOfSquares)
      let buckets = histogram.buckets
      proto.append(6, packed: buckets.map(\.limit))
      proto.append(7, packed: buckets.map { Double($0.count) })
      message.append(5, proto)
    }
    return message
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

  /// The message Event at `seconds` since 1970.
  func message(seconds: Double) -> WireMessage {
    var message = WireMessage()
    message.append(1, double: seconds)
    switch self {
    case .version: message.append(3, text: "brain.Event:2")
    case .start(let firstStep):
      message.append(2, integer: firstStep)
      var session = WireMessage()
      session.append(1, integer: 1)  // SessionLog.START
      message.append(7, session)
    case .summary(let step, let values):
      message.append(2, integer: step)
      var summary = WireMessage()
      for (tag, value) in values { summary.append(1, value.message(tag: tag)) }
      message.append(5, summary)
    }
    return message
  }
}
