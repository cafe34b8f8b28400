import Foundation
import Yams

extension RunConfiguration {
  /// The configuration in the YAML file at `path` (nil: the defaults), changed by `overrides`, each `KEY=VALUE` with a
  /// value in YAML; later overrides win. Keys that are not given have their defaults.
  ///
  /// - Throws: every fault of the file and the overrides at once: unreadable file, broken YAML, unknown or repeated
  ///   keys, values of the wrong type, not allowed, or that do not go together.
  public init(contentsOf path: String?, overrides: [String] = []) throws(ConfigurationError) {
    var reader = ConfigurationReader()
    if let path { reader.read(file: path) }
    for override in overrides { reader.apply(override: override) }
    self = try reader.finish()
  }

  /// The configuration in `yaml`, changed by `overrides`; `path` stands for the text in messages.
  ///
  /// - Throws: every fault at once, as for a file.
  public init(yaml: String, path: String, overrides: [String] = []) throws(ConfigurationError) {
    var reader = ConfigurationReader()
    reader.read(yaml: yaml, path: path)
    for override in overrides { reader.apply(override: override) }
    self = try reader.finish()
  }

  /// Checks values that the program set itself.
  ///
  /// - Throws: every value that is not allowed and every combination that is impossible.
  public func validate() throws(ConfigurationError) {
    var reader = ConfigurationReader()
    reader.configuration = self
    _ = try reader.finish()
  }

  /// Checks that the files and folders named by the configuration exist on this host.
  ///
  /// - Throws: every one that does not.
  public func requireFiles() throws(ConfigurationError) {
    let faults = missingFiles()
    if !faults.isEmpty { throw ConfigurationError(faults: faults) }
  }

  /// A fault for each folder or file that a key names and that does not exist on this host; a relative path is looked
  /// up from the working folder. Not a part of validation: a checkpoint's configuration is read on other hosts too.
  public func missingFiles() -> [ConfigurationFault] {
    let dataKinds =
      switch data.set {
      case .folder: ["folder", "file"]
      case .packed: ["file"]
      case .digits, .mnist, .cifar10, .tfrecords: ["folder"]
      }
    let named = [("data.folder", data.folder, dataKinds), ("orders.file", orders.file, ["file"])]
    return named.compactMap { key, path, kinds in
      guard let path else { return nil }
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      if exists && kinds.contains(isFolder.boolValue ? "folder" : "file") { return nil }
      return ConfigurationFault(
        origin: .program, problem: .missingFile(key: key, path: path, kind: kinds.joined(separator: " or ")))
    }
  }
}

/// Collects values and faults from a file, then from overrides.
private struct ConfigurationReader {
  var configuration = RunConfiguration()
  private var faults: [ConfigurationFault] = []
  /// Where each key that was given was last given.
  private var origins: [String: ConfigurationOrigin] = [:]
  /// Keys whose given value could not be taken: what holds for their defaults is not reported.
  private var unsettled: Set<String> = []

  mutating func read(file path: String) {
    let data: Data
    do {
      data = try Data(contentsOf: URL(fileURLWithPath: path))
    } catch {
      var isFolder: ObjCBool = false
      let exists = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      let reason = exists ? (isFolder.boolValue ? "it is a folder" : error.localizedDescription) : "no such file"
      report(.unreadable(reason: reason), at: .file(path: path, line: nil))
      return
    }
    guard let yaml = String(data: data, encoding: .utf8) else {
      report(.unreadable(reason: "it is not UTF-8 text"), at: .file(path: path, line: nil))
      return
    }
    read(yaml: yaml, path: path)
  }

  mutating func read(yaml: String, path: String) {
    let whole = ConfigurationOrigin.file(path: path, line: nil)
    guard let root = compose(yaml, at: { .file(path: path, line: $0) }) else { return }
    if root.isNull { return report(.empty, at: whole) }
    guard case .mapping(let mapping) = root else { return report(.notAMapping(found: FoundNode(root)), at: whole) }
    if mapping.isEmpty { return report(.empty, at: whole) }
    read(mapping, section: "") { .file(path: path, line: $0?.line) }
  }

  mutating func apply(override argument: String) {
    let origin = ConfigurationOrigin.override(argument)
    guard let separator = argument.firstIndex(of: "="), separator > argument.startIndex else {
      return report(.notAnAssignment, at: origin)
    }
    let path = argument[..<separator].trimmingCharacters(in: .whitespaces)
    let value = String(argument[argument.index(after: separator)...])
    guard let node = compose(value, at: { _ in origin }) else { return }
    read(node, at: path, origin: origin) { _ in origin }
  }

  /// The configuration, if there is no fault.
  consuming func finish() throws(ConfigurationError) -> RunConfiguration {
    for key in ConfigurationKey.all {
      guard !unsettled.contains(key.path), let problem = key.problem(configuration) else { continue }
      unsettled.insert(key.path)
      report(problem, at: origins[key.path] ?? .program)
    }
    for rule in ConfigurationRule.all where unsettled.isDisjoint(with: rule.keys) {
      guard let reason = rule.reason(configuration) else { continue }
      report(
        .impossible(keys: rule.keys, reason: reason), at: rule.keys.lazy.compactMap { origins[$0] }.first ?? .program)
    }
    guard faults.isEmpty else { throw ConfigurationError(faults: sortedFaults) }
    return configuration
  }

  // MARK: - YAML

  /// The root node of `yaml`, a null scalar when there is none; nil, with a fault, when it is not YAML.
  private mutating func compose(_ yaml: String, at origin: (_ line: Int?) -> ConfigurationOrigin) -> Node? {
    do {
      return try Yams.compose(yaml: yaml, .default, .default, .utf8) ?? Node("", .implicit, .plain)
    } catch YamlError.duplicatedKeysInMapping(let duplicates, let context) {
      for key in duplicates { report(.duplicateKey(key), at: origin(context.mark.line)) }
    } catch YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _)
    {
      let reason = context.map { "\($0.text), \(problem)" } ?? problem
      report(.notYAML(reason: reason), at: origin(mark.line))
    } catch YamlError.reader(let problem, let offset, _, let yaml) {
      let line = offset.map { yaml.prefix($0).count(where: \.isNewline) + 1 }
      report(.notYAML(reason: problem), at: origin(line))
    } catch {
      report(.notYAML(reason: "\(error)"), at: origin(nil))
    }
    return nil
  }

  private mutating func read(
    _ mapping: Node.Mapping, section: String, origin: (Mark?) -> ConfigurationOrigin
  ) {
    for (keyNode, value) in mapping {
      let here = origin(keyNode.mark)
      guard case .scalar(let scalar) = keyNode else {
        report(.keyIsNotText(found: FoundNode(keyNode)), at: here)
        continue
      }
      read(value, at: section.isEmpty ? scalar.string : section + "." + scalar.string, origin: here, originOf: origin)
    }
  }

  /// Reads what is given for `path`: the value of a key, or the keys of a section.
  private mutating func read(
    _ node: Node, at path: String, origin: ConfigurationOrigin, originOf: (Mark?) -> ConfigurationOrigin
  ) {
    if let key = ConfigurationKey.at(path) {
      // `training.steps` at the top of a file and `steps` in its section `training` are the same key.
      if case .file = origin, origins[path] != nil { return report(.duplicateKey(path), at: origin) }
      origins[path] = origin
      guard let problem = key.read(node, &configuration) else { return }
      unsettled.insert(path)
      report(problem, at: origin)
    } else if ConfigurationKey.sections.contains(where: { $0.name == path }) {
      guard case .mapping(let mapping) = node else {
        return report(.notASection(path, found: FoundNode(node)), at: origin)
      }
      read(mapping, section: path, origin: originOf)
    } else {
      report(unknownKey(path), at: origin)
    }
  }

  /// The problem of a key that is not in the table. What the key it was meant to be would have set is
  /// not known then.
  private mutating func unknownKey(_ path: String) -> ConfigurationProblem {
    let sections = ConfigurationKey.sections.map(\.name)
    let nearest = nearestName(to: path, among: ConfigurationKey.all.map(\.path) + sections)
    if let nearest {
      unsettled.formUnion(ConfigurationKey.all.map(\.path).filter { $0 == nearest || $0.hasPrefix(nearest + ".") })
    }
    let prefix = path.contains(".") ? String(path.prefix { $0 != "." }) : ""
    let section = sections.contains(prefix) ? prefix : ""
    let siblings = ConfigurationKey.all.filter { $0.section == section }.map(\.name)
    return .unknownKey(
      path, nearest: nearest, section: section, siblings: section.isEmpty ? siblings + sections : siblings)
  }

  // MARK: - Faults

  private mutating func report(_ problem: ConfigurationProblem, at origin: ConfigurationOrigin) {
    faults.append(ConfigurationFault(origin: origin, problem: problem))
  }

  /// By line, then overrides, then the rest; faults of one place stay in the order they were found.
  private var sortedFaults: [ConfigurationFault] {
    func rank(_ origin: ConfigurationOrigin) -> (Int, Int) {
      switch origin {
      case .file(_, let line): return (0, line ?? 0)
      case .override: return (1, 0)
      case .program: return (2, 0)
      }
    }
    return faults.enumerated().sorted { a, b in
      (rank(a.element.origin).0, rank(a.element.origin).1, a.offset)
        < (rank(b.element.origin).0, rank(b.element.origin).1, b.offset)
    }.map(\.element)
  }
}
