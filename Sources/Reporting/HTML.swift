/// A piece of HTML. What is interpolated into a literal is escaped, unless it is a piece of HTML itself: text of users and
/// files cannot become markup.
public struct HTML: Sendable, Equatable, ExpressibleByStringInterpolation {
  /// The markup.
  public let text: String

  /// Markup as it is.
  public init(stringLiteral text: String) { self.text = text }

  /// Markup with values between.
  public init(stringInterpolation: StringInterpolation) { text = stringInterpolation.text }

  /// `pieces` one after the other, a line each.
  init(_ pieces: [HTML]) { text = pieces.map(\.text).joined(separator: "\n") }

  /// Collects the parts of a literal.
  public struct StringInterpolation: StringInterpolationProtocol {
    var text = ""

    /// Begins a literal.
    public init(literalCapacity: Int, interpolationCount: Int) { text.reserveCapacity(literalCapacity) }

    /// Appends markup.
    public mutating func appendLiteral(_ literal: String) { text += literal }

    /// Appends `value` as text, also within a quoted attribute.
    public mutating func appendInterpolation(_ value: String) {
      for character in value.unicodeScalars {
        switch character {
        case "&": text += "&amp;"
        case "<": text += "&lt;"
        case ">": text += "&gt;"
        case "\"": text += "&quot;"
        case "'": text += "&#39;"
        default: text.unicodeScalars.append(character)
        }
      }
    }

    /// Appends a number.
    public mutating func appendInterpolation(_ value: Int) { text += String(value) }

    /// Appends markup.
    public mutating func appendInterpolation(_ value: HTML) { text += value.text }

    /// Appends pieces of markup.
    public mutating func appendInterpolation(_ value: [HTML]) { text += HTML(value).text }
  }
}
