import Foundation
import Testing
import Training

struct RunFolderTests {
  @Test func filesHaveTheirNames() {
    let folder = RunFolder("runs/digits")
    #expect(folder.configuration == "runs/digits/config.yaml")
    #expect(folder.metrics == "runs/digits/metrics.jsonl")
    #expect(folder.log == "runs/digits/log.txt")
    #expect(folder.checkpoints == "runs/digits/checkpoints")
    #expect(folder.pictures == "runs/digits/pictures")
  }

  @Test func itIsMadeWithItsParentsAndOnlyOnce() throws {
    let temporary = try TemporaryFolder()
    let folder = RunFolder(temporary.path + "/a/b/c")
    try folder.create()
    try folder.write("first\n", to: folder.configuration)
    try folder.create()
    try folder.write("second, longer\n", to: folder.configuration)
    try folder.write("third\n", to: folder.configuration)
    #expect(try temporary.text("a/b/c/config.yaml") == "third\n")
    // Nothing is left of replacing it.
    #expect(try FileManager.default.contentsOfDirectory(atPath: folder.path) == ["config.yaml"])
  }

  @Test func aFileInItsPlaceIsNamed() throws {
    let temporary = try TemporaryFolder()
    let file = try temporary.write("", to: "taken")
    let error = #expect(throws: RunFolderError.self) { try RunFolder(file + "/run").create() }
    #expect(error?.description == "run folder \(file)/run cannot be made: Not a directory")
  }

  @Test func aFileThatCannotBeWrittenIsNamed() throws {
    let temporary = try TemporaryFolder()
    let folder = RunFolder(temporary.path + "/missing")
    let error = #expect(throws: RunFolderError.self) { try folder.write("text", to: folder.configuration) }
    #expect(error?.description == "\(folder.configuration) cannot be written: No such file or directory")
  }
}
