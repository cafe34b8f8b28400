import ArgumentParser
import Command
import Configuration
import Foundation
import Testing

/// Every command line that the documentation shows is one that the program takes. `./launch.sh test --docs` runs them.
@Suite struct DocumentedCommandsTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardized
    .path
  static let pages = ["README.md", "CONTRIBUTING.md", "cluster/README.md"] + markdown(in: "docs")

  private static func markdown(in folder: String) -> [String] {
    let names = FileManager.default.enumerator(atPath: "\(root)/\(folder)")?.compactMap { $0 as? String } ?? []
    return names.filter { $0.hasSuffix(".md") }.sorted().map { "\(folder)/\($0)" }
  }

  private static func text(_ file: String) throws -> String {
    try String(contentsOfFile: "\(root)/\(file)", encoding: .utf8)
  }

  // MARK: Blocks

  @Test(arguments: pages) func theBlocksOfAPageParse(page: String) throws {
    for command in try Self.blocks(of: Self.text(page)).flatMap({ ShellCommands($0).commands }) {
      if let arguments = Self.arguments(of: command) {
        #expect(throws: Never.self, "\(page): \(command.joined(separator: " "))") { try Self.check(arguments) }
      }
      for file in command.flatMap({ $0.split(separator: "=").map(String.init) }) where Self.isOurs(file) {
        #expect(FileManager.default.fileExists(atPath: "\(Self.root)/\(file)"), "\(page): \(file)")
      }
    }
  }

  /// There is something to check.
  @Test func thePagesShowCommands() throws {
    let commands = try Self.pages.flatMap { try Self.blocks(of: Self.text($0)) }
      .flatMap { ShellCommands($0).commands }.compactMap(Self.arguments)
    #expect(commands.count > 80)
    #expect(Set(commands.compactMap(\.first)).isSuperset(of: ["train", "evaluate", "sample", "complete", "data"]))
    #expect(throws: (any Error).self) { try Self.check(["train", "--set", "model.filter=3"]) }
    #expect(throws: (any Error).self) { try Self.check(["sample", "runs/digits", "--cuont", "3", "--out", "a.png"]) }
    #expect(throws: (any Error).self) { try Self.check(["smaple", "runs/digits"]) }
  }

  /// Mentions such as `lmconv train --replay STEP` name commands and options that exist; they need not be complete.
  @Test(arguments: pages) func theMentionsOfAPageExist(page: String) throws {
    for mention in try Self.text(page).matches(of: #/`([^`\n]+)`/#).map({ String($0.output.1) }) {
      for command in ShellCommands(mention).commands {
        guard let arguments = Self.arguments(of: command), !arguments.isEmpty else { continue }
        let filled = arguments.map { $0 == "COMMAND" ? "train" : $0.replacing(#/^[A-Z]+$/#, with: "1") }
        do { try Self.check(filled) } catch {
          let isIncomplete = "\(error)".contains(#/Missing (expected argument|value)/#)
          #expect(isIncomplete, "\(page): \(mention)\n\(error)")
        }
      }
    }
  }

  @Test(arguments: pages) func theLinksOfAPageLeadSomewhere(page: String) throws {
    let text = try Self.text(page)
    let folder = (page as NSString).deletingLastPathComponent
    for link in text.matches(of: #/\]\(([^)\s]+)\)/#).map({ String($0.output.1) }) where !link.contains("://") {
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let file = parts[0].isEmpty ? page : folder.isEmpty ? parts[0] : "\(folder)/\(parts[0])"
      #expect(FileManager.default.fileExists(atPath: "\(Self.root)/\(file)"), "\(page): \(link)")
      guard parts.count == 2, file.hasSuffix(".md") else { continue }
      #expect(try Self.headings(of: Self.text(file)).contains(parts[1]), "\(page): \(link)")
    }
  }

  // MARK: Help

  @Test func everyCommandHasExamplesThatParse() throws {
    func examine(_ command: any ParsableCommand.Type, name: String) throws {
      let discussion = command.configuration.discussion
      let examples = ShellCommands(discussion).commands.compactMap(Self.arguments)
      let words = name.split(separator: " ").map(String.init)
      #expect(discussion.hasPrefix("Examples:\n") && examples.contains { $0.starts(with: words) }, "\(name)")
      for arguments in examples {
        #expect(throws: Never.self, "\(arguments)") { try Self.check(arguments) }
      }
      for inner in command.configuration.subcommands {
        try examine(inner, name: "\(name) \(inner.configuration.commandName ?? "")")
      }
    }
    for command in LMConv.configuration.subcommands {
      try examine(command, name: command.configuration.commandName ?? "")
    }
  }

  @Test(arguments: ["launch.sh", "cluster/simulate.sh", "cluster/simulate-slurm.sh"])
  func theExamplesOfScriptsParse(script: String) throws {
    let usage = try #require(Self.text(script).firstMatch(of: #/<<'TEXT'\n([\s\S]*?)\nTEXT\n/#)?.output.1)
    let examples = try #require(usage.firstMatch(of: #/\nexamples:\n([\s\S]*)/#)?.output.1)
    for command in ShellCommands(String(examples)).commands {
      guard let arguments = Self.arguments(of: command) else { continue }
      #expect(throws: Never.self, "\(script): \(arguments)") { try Self.check(arguments) }
    }
  }

  // MARK: Command lines

  private static func blocks(of text: String) -> [String] {
    text.matches(of: #/(?m)^```sh\n([\s\S]*?)^```/#).map { String($0.output.1) }
  }

  /// Whether a word names a file of this project, and not one that somebody makes.
  private static func isOurs(_ word: String) -> Bool {
    word.firstMatch(of: #/^(Benchmarks|Tools|Tests|cluster|configurations|examples)/[^*]+$/#) != nil
  }

  /// Where a heading can be linked to, as GitHub and others do it.
  private static func headings(of text: String) -> Set<String> {
    Set(
      text.matches(of: #/(?m)^#+ (.+)$/#).map { match in
        match.output.1.lowercased().filter { $0.isLetter || $0.isNumber || " -_".contains($0) }
          .replacing(" ", with: "-")
      })
  }

  /// What `command` gives to lmconv, after the name of a command of launch.sh without the launcher's own options; nil if
  /// it runs something else.
  private static func arguments(of command: [String]) -> [String]? {
    let words = Array(command.drop { $0.firstMatch(of: #/^[A-Z_]+=/#) != nil })
    let starters: Set = ["lmconv", "./launch.sh", "mpirun", "timeout", "ssh", "exec", "cluster/simulate.sh"]
    guard let first = words.first, starters.contains(first) else { return nil }
    guard let program = words.firstIndex(where: { $0 == "./launch.sh" || $0 == "lmconv" || $0.hasSuffix("/lmconv") })
    else { return nil }
    let arguments = Array(words[(program + 1)...])
    return words[program] == "./launch.sh" ? withoutLauncherOptions(arguments) : arguments
  }

  private static let launchedUnderMPI: Set = [
    "train", "evaluate", "sample", "complete", "compress", "decompress", "score",
  ]

  private static func withoutLauncherOptions(_ arguments: [String]) -> [String]? {
    guard let command = arguments.first, !["help", "setup", "install", "test"].contains(command) else { return nil }
    guard launchedUnderMPI.contains(command) else { return arguments }
    var kept: [String] = []
    var rest = arguments[...]
    while let word = rest.popFirst() {
      switch word {
      case "--ranks", "--hosts", "--free-disk", "--restarts", "--restart-delay": rest = rest.dropFirst()
      case "--drop-dead-hosts": break
      default: kept.append(word)
      }
    }
    return kept
  }

  private struct Refusal: Error, CustomStringConvertible {
    let description: String
  }

  /// Parses `arguments` as the program does, and looks keys of the configuration up.
  private static func check(_ arguments: [String]) throws {
    do { _ = try LMConv.parseAsRoot(arguments) } catch {
      guard LMConv.exitCode(for: error).isSuccess else { throw Refusal(description: LMConv.message(for: error)) }
    }
    for (option, value) in zip(arguments, arguments.dropFirst()) where option == "--set" {
      let key = String(value.prefix { $0 != "=" })
      guard key != "KEY", ConfigurationKey.at(key) == nil else { continue }
      throw Refusal(description: "there is no key '\(key)'")
    }
  }
}

/// How the documentation's shell is read.
@Suite struct ShellCommandsTests {
  @Test(arguments: [
    ("a b  c # d\ne", [["a", "b", "c"], ["e"]]),
    ("a 'b c' \"d e\"f\\ g", [["a", "b c", "d ef g"]]),
    ("a && b; c | d & e", [["a"], ["b"], ["c"], ["d"], ["e"]]),
    ("a \\\n  b >c 2>&1 <d e", [["a", "b", "e"]]),
    ("a --x=$(b c)d", [["a", "--x=$(b c)d"]]),
    ("cat >f <<'END'\nx | y\nEND\nb", [["cat"], ["b"]]),
    ("a '{\n  \"k\": 1}' b", [["a", "{\n  \"k\": 1}", "b"]]),
  ]) func commandsAreSplitAsAShellDoes(script: String, commands: [[String]]) {
    #expect(ShellCommands(script).commands == commands)
  }
}
