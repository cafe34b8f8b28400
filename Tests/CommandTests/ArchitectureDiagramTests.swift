import Foundation
import Testing

/// docs/pictures/architecture.dot and .svg: the modules of Package.swift and what each imports.
@Suite struct ArchitectureDiagramTests {
  private static let pictures = DocumentedCommandsTests.root + "/docs/pictures/"

  private static let instruction = """
    write it anew: LMCONV_WRITE_DOCUMENTATION=1 swift test -c release --filter theDiagramIsThatOfThePackage, \
    then dot -Tsvg docs/pictures/architecture.dot -o docs/pictures/architecture.svg
    """

  /// With LMCONV_WRITE_DOCUMENTATION set, writes the graph instead of comparing it.
  @Test func theDiagramIsThatOfThePackage() throws {
    let graph = try Graph(
      manifest: String(contentsOfFile: DocumentedCommandsTests.root + "/Package.swift", encoding: .utf8))
    #expect(graph.edges["Training"]?.contains("Sampling") == true && graph.edges["Orders"] == [])
    if ProcessInfo.processInfo.environment["LMCONV_WRITE_DOCUMENTATION"] != nil {
      try graph.dot.write(toFile: Self.pictures + "architecture.dot", atomically: true, encoding: .utf8)
    }
    let dot = try String(contentsOfFile: Self.pictures + "architecture.dot", encoding: .utf8)
    #expect(dot == graph.dot, "\(Self.instruction)")
  }

  /// Graphviz gives every node and edge of an SVG a title.
  @Test func thePictureIsThatOfTheGraph() throws {
    func names(_ file: String, _ pattern: Regex<(Substring, Substring, Substring)>) throws -> [String] {
      let text = try String(contentsOfFile: Self.pictures + file, encoding: .utf8)
      return text.matches(of: pattern).map { "\($0.output.1) \($0.output.2)" }.sorted()
    }
    let drawn = try names("architecture.svg", #/<title>(\w+)&#45;&gt;(\w+)<\/title>/#)
    #expect(!drawn.isEmpty)
    #expect(try drawn == names("architecture.dot", #/"(\w+)" -> "(\w+)"/#), "\(Self.instruction)")
  }

  /// Every module is explained.
  @Test func theTableListsTheModules() throws {
    let graph = try Graph(
      manifest: String(contentsOfFile: DocumentedCommandsTests.root + "/Package.swift", encoding: .utf8))
    let page = try String(contentsOfFile: DocumentedCommandsTests.root + "/docs/architecture.md", encoding: .utf8)
    let first = page.split(separator: "\n").compactMap { $0.firstMatch(of: #/^\| (`[^|]+) \|/#)?.output.1 }
    let listed = first.flatMap { $0.matches(of: #/`(\w+)`/#).map { String($0.output.1) } }
    #expect(listed.sorted() == graph.modules.sorted())
  }
}

extension ArchitectureDiagramTests {
  /// The targets of the program, and what they depend on.
  fileprivate struct Graph {
    /// Every target and library, and what it depends on directly.
    private(set) var edges: [String: Set<String>] = [:]

    init(manifest: String) throws {
      // Behind it are the tests.
      let targets = try #require(manifest.split(separator: "name: \"TestSupport\"").first)
      let pattern =
        #/\.(?:target|executableTarget|systemLibrary)\(\s*name: "(\w+)"(?:,\s*dependencies: \[([^\]]*)\])?/#
      for match in targets.matches(of: pattern) {
        let dependencies = (match.output.2 ?? "").matches(
          of: #/(?:\.product\(name: )?"(\w+)"(?:, package: "[^"]+"\))?/#)
        edges[String(match.output.1)] = Set(dependencies.map { String($0.output.1) })
      }
    }

    /// Those in Swift.
    var modules: [String] { edges.keys.filter { $0.firstMatch(of: #/^C[A-Z]/#) == nil } }

    /// What `target` depends on, also through others.
    private func reached(from target: String) -> Set<String> {
      let direct = edges[target] ?? []
      return direct.reduce(direct) { $0.union(reached(from: $1)) }
    }

    /// The graph in Graphviz's language. An edge is left out where a longer way leads there.
    var dot: String {
      let (ours, all) = (Set(modules), Set(edges.keys).union(edges.values.joined()))
      var text = """
        // Generated from Package.swift by ArchitectureDiagramTests.
        digraph {
          graph [bgcolor=white, nodesep=0.25, ranksep=0.45]
          node [shape=box, style="rounded,filled", fillcolor="#dce9f7", color="#4a6f9c", fontname="Helvetica", fontsize=12]
          edge [color="#808080", arrowsize=0.6]

        """
      for name in all.subtracting(ours).sorted() {
        text += "  \"\(name)\" [fillcolor=\"#eeeeee\", color=\"#999999\"]\n"
      }
      for name in ours.sorted() {
        let direct = edges[name] ?? []
        let farther = direct.reduce(into: Set<String>()) { $0.formUnion(reached(from: $1)) }
        for dependency in direct.subtracting(farther).sorted() { text += "  \"\(name)\" -> \"\(dependency)\"\n" }
      }
      return text + "}\n"
    }
  }
}
