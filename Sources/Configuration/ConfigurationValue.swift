import Datasets
import Orders
import Model
import Yams

/// A type that a key's value can have: how it is read from YAML, written to YAML, and named in messages.
protocol ConfigurationValue: Equatable, Sendable {
  /// What a value is, as in "must be an integer".
  static var kind: String { get }
  /// The names the value can have, when it is a choice; empty otherwise.
  static var choices: [String] { get }
  /// The value that `node` holds, nil when it is of another type.
  init?(node: Node)
  /// The value as YAML that fits on the rest of a line.
  var yaml: String { get }
  /// The part of a `node` of another type that is to blame.
  static func culprit(in node: Node) -> Node
}

extension ConfigurationValue {
  static var choices: [String] { [] }
  static func culprit(in node: Node) -> Node { node }
}

extension Node {
  /// The text of a scalar written without quotes, the only form that numbers and `true` and `false` have.
  fileprivate var plainText: String? {
    guard case .scalar(let scalar) = self, scalar.style == .plain else { return nil }
    return scalar.string
  }

  /// Whether this is YAML's null: nothing at all, `~` or `null`.
  var isNull: Bool {
    guard let plainText else { return false }
    return ["", "~", "null", "Null", "NULL"].contains(plainText)
  }
}

extension Int: ConfigurationValue {
  static let kind = "an integer"
  // Not Yams' own conversion: YAML 1.1 reads 010 as eight and 1:30 as ninety.
  init?(node: Node) {
    guard let text = node.plainText else { return nil }
    self.init(text)
  }
  var yaml: String { description }
}

extension UInt64: ConfigurationValue {
  static let kind = "an integer, 0 or above"
  init?(node: Node) {
    guard let text = node.plainText else { return nil }
    self.init(text)
  }
  var yaml: String { description }
}

extension Double: ConfigurationValue {
  static let kind = "a number"
  init?(node: Node) {
    // Decimal only: Double(String) would also take "nan", "infinity" and hexadecimal.
    guard let text = node.plainText, text.allSatisfy({ "0123456789+-.eE".contains($0) }),
      let value = Double(text), value.isFinite
    else { return nil }
    self = value
  }
  var yaml: String {
    let text = description
    return text.hasSuffix(".0") ? String(text.dropLast(2)) : text
  }
}

extension Bool: ConfigurationValue {
  static let kind = "true or false"
  init?(node: Node) {
    switch node.plainText {
    case "true": self = true
    case "false": self = false
    default: return nil
    }
  }
  var yaml: String { description }
}

extension String: ConfigurationValue {
  static let kind = "text"
  init?(node: Node) {
    guard case .scalar(let scalar) = node, !node.isNull else { return nil }
    self = scalar.string
  }
  var yaml: String {
    let isPlain =
      !isEmpty && first != "-" && !Node(self, .implicit, .plain).isNull
      && unicodeScalars.allSatisfy {
        $0.isASCII && ($0.properties.isAlphabetic || "0123456789._/-".contains(Character($0)))
      }
    return isPlain ? self : "\"" + unicodeScalars.map(\.yamlEscaped).joined() + "\""
  }
}

extension Unicode.Scalar {
  /// The scalar inside double quotes: everything that is not plainly printable is escaped.
  fileprivate var yamlEscaped: String {
    if self == "\"" || self == "\\" { return "\\" + String(self) }
    if properties.isAlphabetic || (0x20..<0x7F).contains(value) { return String(self) }
    let digits = String(value, radix: 16)
    return "\\U" + String(repeating: "0", count: 8 - digits.count) + digits
  }
}

extension Optional: ConfigurationValue where Wrapped: ConfigurationValue {
  static var kind: String { Wrapped.kind + " or null" }
  init?(node: Node) {
    if node.isNull {
      self = .none
    } else if let value = Wrapped(node: node) {
      self = .some(value)
    } else {
      return nil
    }
  }
  var yaml: String { self?.yaml ?? "null" }
}

/// What a key's value can be a list of.
protocol ListedValue: Equatable, Sendable {
  /// What several are, as in "must be a list of integers".
  static var listKind: String { get }
  /// The value that the list's element `node` holds, nil when it is of another type.
  init?(element node: Node)
  /// The value as YAML.
  var elementYAML: String { get }
}

extension OrderChoice: ListedValue {
  static var listKind: String { "orders (each \(forms))" }
  init?(element node: Node) {
    guard let text = String(node: node) else { return nil }
    self.init(text)
  }
  var elementYAML: String {
    if case .variant = self { return description }
    return description.yaml
  }
}

extension Int: ListedValue {
  static let listKind = "integers"
  init?(element node: Node) { self.init(node: node) }
  var elementYAML: String { yaml }
}

extension Double: ListedValue {
  static let listKind = "numbers"
  init?(element node: Node) { self.init(node: node) }
  var elementYAML: String { yaml }
}

extension Array: ConfigurationValue where Element: ListedValue {
  static var kind: String { "a list of \(Element.listKind)" }
  init?(node: Node) {
    guard case .sequence(let sequence) = node else { return nil }
    self = []
    for node in sequence {
      guard let element = Element(element: node) else { return nil }
      append(element)
    }
  }
  var yaml: String { "[" + map(\.elementYAML).joined(separator: ", ") + "]" }
  static func culprit(in node: Node) -> Node {
    guard case .sequence(let sequence) = node else { return node }
    return sequence.first { Self(node: Node([$0])) == nil } ?? node
  }
}

extension RunConfiguration.TrainingOrders: ConfigurationValue {
  static var kind: String { "random, or \([OrderChoice].kind)" }
  init?(node: Node) {
    if String(node: node) == Self.freshName {
      self = .fresh
    } else if let choices = [OrderChoice](node: node) {
      self = .list(choices)
    } else {
      return nil
    }
  }
  var yaml: String {
    switch self {
    case .fresh: return Self.freshName
    case .list(let choices): return choices.yaml
    }
  }
  static func culprit(in node: Node) -> Node { [OrderChoice].culprit(in: node) }
  private static let freshName = "random"
}

extension ConfigurationValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  static var kind: String { "one of " + choices.joined(separator: ", ") }
  static var choices: [String] { allCases.map(\.rawValue) }
  init?(node: Node) {
    guard case .scalar(let scalar) = node else { return nil }
    self.init(rawValue: scalar.string)
  }
  var yaml: String { rawValue }
}

extension Architecture: ConfigurationValue {}
extension Normalization: ConfigurationValue {}
extension ImageSet: ConfigurationValue {}
extension Binarization: ConfigurationValue {}
extension RunConfiguration.Distribution: ConfigurationValue {}
extension BaseOrder: ConfigurationValue {}
extension RunConfiguration.OrderInterval: ConfigurationValue {}
extension RunConfiguration.Schedule: ConfigurationValue {}
extension RunConfiguration.LossUnit: ConfigurationValue {}
extension RunConfiguration.LossReduction: ConfigurationValue {}
extension RunConfiguration.GuardPolicy: ConfigurationValue {}
extension RunConfiguration.LogLevel: ConfigurationValue {}
extension RunConfiguration.ProgressDisplay: ConfigurationValue {}
