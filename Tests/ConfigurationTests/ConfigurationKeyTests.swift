import Foundation
import TestSupport
import Testing
import Yams

import Configuration

@Suite struct ConfigurationKeyTests {
  @Test func everyPathIsUniqueAndInAKnownSection() {
    let paths = ConfigurationKey.all.map(\.path)
    #expect(Set(paths).count == paths.count)
    let sections = Set(ConfigurationKey.sections.map(\.name))
    for key in ConfigurationKey.all where !key.section.isEmpty {
      #expect(sections.contains(key.section), "\(key.path)")
    }
  }

  /// Every stored property is one key: a property added without a key would be silently lost on resume.
  @Test func everyPropertyHasAKey() {
    func leaves(_ value: Any) -> Int {
      let mirror = Mirror(reflecting: value)
      return mirror.displayStyle == .struct && "\(type(of: value))".hasSuffix("Options")
        ? mirror.children.count : 1
    }
    let properties = Mirror(reflecting: RunConfiguration()).children.map { leaves($0.value) }.reduce(0, +)
    #expect(properties == ConfigurationKey.all.count)
  }

  /// Two keys that set one property would overwrite each other.
  @Test func noTwoKeysSetTheSameProperty() throws {
    for key in ConfigurationKey.all {
      let value = try #require(alternative(to: key), "no other value found is taken by \(key.path)")
      var changed = RunConfiguration()
      #expect(key.read(value, &changed) == nil)
      #expect(changed.differences(from: RunConfiguration()).map(\.key.path) == [key.path])
    }
  }

  @Test func rulesNameKeysOfTheTable() {
    for rule in ConfigurationRule.all {
      for key in rule.keys { #expect(ConfigurationKey.at(key) != nil, "\(key)") }
    }
  }

  @Test func onlyHowTheWorkIsDoneMayChangeOnResume() {
    let free = Set(ConfigurationKey.all.filter { !$0.isDefining }.map(\.section))
    #expect(free == ["", "data", "model", "orders", "guard", "checkpoint", "evaluation", "monitoring", "run"])
    let freeByName = ConfigurationKey.all.filter {
      !$0.isDefining && ["", "data", "model", "orders"].contains($0.section)
    }
    #expect(freeByName.map(\.path) == ["name", "data.folder", "data.skip_bad", "model.rematerialize", "orders.test"])
  }

  /// With LMCONV_WRITE_DOCUMENTATION set, writes the file instead of comparing it.
  @Test func theCommittedDocumentationIsUpToDate() throws {
    let url = URL(fileURLWithPath: Fixtures.packageRoot + "/docs/configuration.md")
    if ProcessInfo.processInfo.environment["LMCONV_WRITE_DOCUMENTATION"] != nil {
      try ConfigurationKey.markdown.write(to: url, atomically: true, encoding: .utf8)
    }
    #expect(
      try String(contentsOf: url, encoding: .utf8) == ConfigurationKey.markdown,
      "write it anew: LMCONV_WRITE_DOCUMENTATION=1 swift test --filter theCommittedDocumentationIsUpToDate")
  }

  /// A value that `key` takes and that is not its default.
  private func alternative(to key: ConfigurationKey) -> Node? {
    let words = key.values.split(separator: " ").map { $0.trimmingCharacters(in: .punctuationCharacters) }
    let scalars = (["3", "0.75", "true", "false", "other"] + words).map { Node($0, .implicit, .plain) }
    return (scalars + ["5", "1"].map { Node([Node($0, .implicit, .plain)]) }).first { node in
      var configuration = RunConfiguration()
      return key.read(node, &configuration) == nil && configuration != RunConfiguration()
    }
  }
}
