import Yams

/// Where a value was given.
public enum ConfigurationOrigin: Sendable, Hashable, CustomStringConvertible {
  /// A line of a file; `line` counts from 1, nil for the file as a whole.
  case file(path: String, line: Int?)
  /// A `--set` argument.
  case override(String)
  /// Neither: the value is a default, or was set by the program.
  case program

  /// What a message begins with.
  public var description: String {
    switch self {
    case .file(let path, let line): return line.map { "\(path):\($0)" } ?? path
    case .override(let argument): return "--set \(argument)"
    case .program: return "configuration"
    }
  }
}

/// What a YAML node is, for messages about a value of the wrong type.
public enum FoundNode: Sendable, Equatable, CustomStringConvertible {
  /// No value, `~` or `null`.
  case nothing
  /// One value, as written.
  case scalar(String)
  /// A sequence.
  case list
  /// Keys with values.
  case mapping

  init(_ node: Node) {
    switch node {
    case .scalar(let scalar): self = node.isNull ? .nothing : .scalar(scalar.string)
    case .sequence: self = .list
    case .mapping: self = .mapping
    case .alias(let alias): self = .scalar("*" + alias.anchor.rawValue)
    }
  }

  /// As in "found DESCRIPTION".
  public var description: String {
    switch self {
    case .nothing: return "nothing"
    case .scalar(let text): return "'\(text)'"
    case .list: return "a list"
    case .mapping: return "a mapping"
    }
  }
}

/// One thing that is wrong with a configuration.
public enum ConfigurationProblem: Sendable, Equatable, CustomStringConvertible {
  /// The file cannot be read.
  case unreadable(reason: String)
  /// The text is not YAML.
  case notYAML(reason: String)
  /// There is no key in the file.
  case empty
  /// The file is not a mapping of keys to values.
  case notAMapping(found: FoundNode)
  /// A mapping's key is not one word but a list or a mapping.
  case keyIsNotText(found: FoundNode)
  /// An override is not of the form key=value.
  case notAnAssignment
  /// There is no such key; `nearest` is the valid name most like it, `siblings` the names at that place.
  case unknownKey(String, nearest: String?, section: String, siblings: [String])
  /// A key is given twice.
  case duplicateKey(String)
  /// A section is given a value that is not a mapping of its keys.
  case notASection(String, found: FoundNode)
  /// The value is of another type; `choices` are the names it could have.
  case wrongType(key: String, found: FoundNode, expected: String, choices: [String])
  /// The value is of the right type but not one that the key takes.
  case notAllowed(key: String, value: String, allowed: String)
  /// Values that are each allowed do not go together.
  case impossible(keys: [String], reason: String)
  /// A file or folder that a key names does not exist.
  case missingFile(key: String, path: String, kind: String)

  /// What is wrong and what to do.
  public var description: String {
    switch self {
    case .unreadable(let reason): return "cannot be read: \(reason)"
    case .notYAML(let reason): return "not YAML: \(reason)"
    case .empty: return "has no key; a configuration sets at least one"
    case .notAMapping(let found): return "must be keys with values, found \(found)"
    case .keyIsNotText(let found): return "a key must be text, found \(found)"
    case .notAnAssignment: return "must be KEY=VALUE, as in training.steps=1000"
    case .unknownKey(let path, let nearest?, _, _): return "unknown key '\(path)'; did you mean '\(nearest)'?"
    case .unknownKey(let path, nil, let section, let siblings):
      let place = section.isEmpty ? "the top level" : "section '\(section)'"
      return "unknown key '\(path)'; the keys of \(place) are \(siblings.joined(separator: ", "))"
    case .duplicateKey(let name): return "key '\(name)' is given twice; remove one"
    case .notASection(let name, let found): return "'\(name)' is a section and must be keys with values, found \(found)"
    case .wrongType(let key, let found, let expected, let choices):
      var text = "'\(key)' must be \(expected), found \(found)"
      if case .scalar(let name) = found, let nearest = nearestName(to: name, among: choices) {
        text += "; did you mean '\(nearest)'?"
      }
      return text
    case .notAllowed(let key, let value, let allowed): return "'\(key)' is \(value), must be \(allowed)"
    case .impossible(_, let reason): return reason
    case .missingFile(let key, let path, let kind): return "'\(key)' names '\(path)', but there is no such \(kind)"
    }
  }
}

/// A problem and where it is.
public struct ConfigurationFault: Sendable, Equatable, CustomStringConvertible {
  /// Where the value was given.
  public let origin: ConfigurationOrigin
  /// What is wrong.
  public let problem: ConfigurationProblem

  /// `FILE:LINE: PROBLEM`.
  public var description: String { "\(origin): \(problem)" }
}

/// All that is wrong with a configuration.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// At least one fault: those of the file by line, then those of the overrides, then others.
  public let faults: [ConfigurationFault]

  /// One line a fault.
  public var description: String { faults.map(\.description).joined(separator: "\n") }
}
