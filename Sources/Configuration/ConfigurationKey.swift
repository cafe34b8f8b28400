import Orders
import Yams

/// One key of the configuration: the only place that says what it is called, which property it sets, which values it
/// takes and what it means. Reading, validation, writing, comparison and documentation all come from the table
/// `ConfigurationKey.all`.
public struct ConfigurationKey: Sendable {
  /// Section and name, as in `training.learning_rate`.
  public let path: String
  /// The values it takes, as in `an integer, at least 1`.
  public let values: String
  /// Unit of the value, nil where there is none.
  public let unit: String?
  /// Whether it changes the run's result, so that a run may only be resumed with the same value.
  public let isDefining: Bool
  /// What it does, in one line.
  public let meaning: String

  /// Sets the property from a node; the problem, if the node cannot be its value.
  package let read: @Sendable (Node, inout RunConfiguration) -> ConfigurationProblem?
  /// The problem with the property's value, if it is of the right type but not allowed.
  let problem: @Sendable (RunConfiguration) -> ConfigurationProblem?
  /// The property's value as YAML that fits on one line.
  let yaml: @Sendable (RunConfiguration) -> String

  init<Value: ConfigurationValue>(
    _ path: String, _ property: WritableKeyPath<RunConfiguration, Value> & Sendable, _ domain: Domain<Value> = .any,
    unit: String? = nil, isDefining: Bool = true, meaning: String
  ) {
    self.path = path
    self.values = Value.kind + (domain.text.isEmpty ? "" : ", " + domain.text)
    self.unit = unit
    self.isDefining = isDefining
    self.meaning = meaning
    read = { node, configuration in
      guard let value = Value(node: node) else {
        return .wrongType(
          key: path, found: FoundNode(Value.culprit(in: node)), expected: Value.kind, choices: Value.choices)
      }
      configuration[keyPath: property] = value
      return nil
    }
    problem = { configuration in
      let value = configuration[keyPath: property]
      return domain.contains(value) ? nil : .notAllowed(key: path, value: value.yaml, allowed: domain.text)
    }
    yaml = { $0[keyPath: property].yaml }
  }

  /// The property's value in `configuration`, as YAML that fits on one line.
  public func value(in configuration: RunConfiguration) -> String { yaml(configuration) }

  /// The section's name, empty for a key at the top.
  public var section: String { path.contains(".") ? String(path.prefix { $0 != "." }) : "" }

  /// The name inside its section.
  public var name: String { section.isEmpty ? path : String(path.dropFirst(section.count + 1)) }
}

/// Which values of a type a key takes.
struct Domain<Value>: Sendable {
  /// The condition, as in "must be TEXT"; empty when every value is taken.
  let text: String
  let contains: @Sendable (Value) -> Bool

  static var any: Domain { Domain(text: "") { _ in true } }
}

extension Domain where Value: Comparable & Sendable & ConfigurationValue {
  static func atLeast(_ bound: Value) -> Domain { Domain(text: "at least \(bound.yaml)") { $0 >= bound } }
  static func above(_ bound: Value) -> Domain { Domain(text: "above \(bound.yaml)") { $0 > bound } }
  static func range(_ bounds: ClosedRange<Value>) -> Domain {
    Domain(text: "from \(bounds.lowerBound.yaml) to \(bounds.upperBound.yaml)") { bounds.contains($0) }
  }
  static func range(_ bounds: Range<Value>) -> Domain {
    Domain(text: "from \(bounds.lowerBound.yaml) to below \(bounds.upperBound.yaml)") { bounds.contains($0) }
  }
}

extension Domain<Double> {
  static func between(_ lower: Double, _ upper: Double) -> Domain {
    Domain(text: "above \(lower.yaml) and below \(upper.yaml)") { $0 > lower && $0 < upper }
  }
}

extension Domain<Int?> {
  static func optional(_ bounds: ClosedRange<Int>) -> Domain {
    Domain(text: "from \(bounds.lowerBound) to \(bounds.upperBound)") { $0.map(bounds.contains) ?? true }
  }
  static var colours: Domain { Domain(text: "1 or 3") { $0 == nil || $0 == 1 || $0 == 3 } }
}

extension Domain<Int> {
  /// Counts of steps, images and the like; they fit the 32 bits of a random stream's key.
  static var count: Domain { .range(0...0xFFFF_FFFF) }
  static var windowSide: Domain { Domain(text: "odd, from 3 to 63") { (3...63).contains($0) && $0 % 2 == 1 } }
}

extension Domain<[Int]> {
  static var sides: Domain {
    Domain(text: "sizes from 1 to 1024, none twice") { sides in
      sides.allSatisfy { (1...1024).contains($0) } && Set(sides).count == sides.count
    }
  }
}

extension Domain<[Double]> {
  static var probabilities: Domain {
    Domain(text: "above 0, 1 together") { values in
      // Decimals of tenths do not add up to 1 exactly.
      values.isEmpty || values.allSatisfy { $0 > 0 } && abs(values.reduce(0, +) - 1) < 1e-6
    }
  }
}

extension Domain<[OrderChoice]> {
  static var orders: Domain {
    Domain(text: "at least one order, none twice") { list in
      let orders = list.flatMap(\.single)
      return !orders.isEmpty && Set(orders).count == orders.count
    }
  }
}

extension Domain<RunConfiguration.TrainingOrders> {
  static var orders: Domain {
    let lists = Domain<[OrderChoice]>.orders
    return Domain(text: lists.text) { orders in
      switch orders {
      case .fresh: return true
      case .list(let choices): return lists.contains(choices)
      }
    }
  }
}

extension Domain<String> {
  /// Fit for the name of a folder.
  static var folderName: Domain {
    Domain(text: "made of letters, digits, '.', '_' and '-', beginning with a letter or digit") { text in
      let isWord = { (c: Character) in c.isASCII && (c.isLetter || c.isNumber) }
      return text.first.map(isWord) == true && text.allSatisfy { isWord($0) || "._-".contains($0) }
    }
  }
}

extension Domain<String?> {
  static var path: Domain { Domain(text: "not empty") { $0 != "" } }
}
