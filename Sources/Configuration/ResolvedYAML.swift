extension RunConfiguration {
  /// The configuration with every key, as commented YAML; reading it gives an equal configuration.
  public var yaml: String {
    var text = "# Every key of the run.\n"
    for key in ConfigurationKey.all where key.section.isEmpty { text += key.lines(of: self, indentation: "") }
    for section in ConfigurationKey.sections {
      text += "\n# \(section.name): \(section.summary)\n\(section.name):\n"
      for key in ConfigurationKey.all where key.section == section.name {
        text += key.lines(of: self, indentation: "  ")
      }
    }
    return text
  }

  /// The keys whose value differs from `old`'s, in the order of the file.
  public func differences(from old: RunConfiguration) -> [ConfigurationDifference] {
    ConfigurationKey.all.compactMap { key in
      let (oldValue, newValue) = (key.yaml(old), key.yaml(self))
      return oldValue == newValue ? nil : ConfigurationDifference(key: key, old: oldValue, new: newValue)
    }
  }
}

extension ConfigurationKey {
  fileprivate func lines(of configuration: RunConfiguration, indentation: String) -> String {
    let unit = unit.map { " [\($0)]" } ?? ""
    return "\(indentation)# \(meaning)\(unit); \(values)\n\(indentation)\(name): \(yaml(configuration))\n"
  }
}

/// A key that two configurations set differently.
public struct ConfigurationDifference: Sendable, CustomStringConvertible {
  /// The key.
  public let key: ConfigurationKey
  /// The former value, as YAML.
  public let old: String
  /// The present value, as YAML.
  public let new: String

  /// `KEY: OLD -> NEW`.
  public var description: String { "\(key.path): \(old) -> \(new)" }
}
