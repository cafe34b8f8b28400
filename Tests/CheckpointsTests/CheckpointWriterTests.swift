import Foundation
import Testing

import Checkpoints

struct CheckpointWriterTests {
  private func names(_ store: CheckpointStore) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: store.folder).sorted()
  }

  @Test func supersededCheckpointsAreRemoved() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path, keepLast: 2, keepEvery: 4)
    var removed: [[Int]] = []
    for step in 1...7 {
      removed.append(try writer.write(ExampleRun.contents(step: step, metric: abs(Double(step) - 2))).removed)
    }
    #expect(removed == [[], [], [1], [], [3], [], [5]])
    // 2 is the best, 4 a multiple, 6 and 7 the last.
    #expect(try writer.store.list() == [2, 4, 6, 7])
    #expect(try names(writer.store).count == 4)
    for step in [2, 4, 6, 7] { #expect(try writer.store.load(step: step).step == step) }
  }

  @Test func whatIsNotOursIsNeverRemoved() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path, keepLast: 1)
    let store = writer.store
    try writer.write(ExampleRun.contents(step: 1))
    try ExampleRun.makeNewer(store.path(step: 1))
    for name in ["step-00000002", "notes", "step-3"] {
      try FileManager.default.createDirectory(atPath: store.folder + "/" + name, withIntermediateDirectories: false)
    }
    try writer.write(ExampleRun.contents(step: 4))
    try writer.write(ExampleRun.contents(step: 5))
    #expect(try names(store) == ["notes", "step-00000001", "step-00000002", "step-00000005", "step-3"])
  }

  @Test func theLastValidOneOutlivesDamagedNewerOnes() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1, 2, 3], to: folder.path)
    for step in [2, 3] { try ExampleRun.damage(store.path(step: step)) }
    let writer = try ExampleRun.writer(folder.path, keepLast: 1)
    let resumed = try #require(try store.latestValid().checkpoint)
    #expect(resumed.step == 1)
    #expect(
      try writer.setAside(newerThan: resumed.step)
        == [store.path(step: 2) + ".set-aside-1", store.path(step: 3) + ".set-aside-1"])
    #expect(try store.latestValid().skipped == [])
    #expect(try writer.write(ExampleRun.contents(step: 2)).removed == [1])
    #expect(try store.latestValid().checkpoint?.contents == ExampleRun.contents(step: 2))
    // A second time the names are taken.
    #expect(try writer.setAside(newerThan: nil) == [store.path(step: 2) + ".set-aside-2"])
  }

  @Test func aCheckpointIsReplacedByOneOfTheSameStep() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    try writer.write(ExampleRun.contents(step: 1))
    let written = try writer.write(ExampleRun.contents(step: 1, metric: 0.5))
    #expect(written == WrittenCheckpoint(path: writer.store.path(step: 1), step: 1))
    #expect(try writer.store.load(step: 1).contents.state.metric == 0.5)
    #expect(try names(writer.store) == ["step-00000001"])
  }

  @Test func aForeignFolderInTheWayIsSetAside() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    let target = writer.store.path(step: 1)
    try FileManager.default.createDirectory(atPath: target, withIntermediateDirectories: false)
    try Data([1]).write(file: target + "/precious")
    let written = try writer.write(ExampleRun.contents(step: 1))
    #expect(written.setAside == target + ".set-aside-1")
    #expect(try Data(file: target + ".set-aside-1/precious") == Data([1]))
    #expect(try writer.store.load(step: 1).contents == ExampleRun.contents(step: 1))
  }

  @Test func anInterruptedWriteIsIgnoredAndCleared() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1, 2], to: folder.path)
    // Killed before the last rename: all is there but the name.
    try FileManager.default.moveItem(atPath: store.path(step: 2), toPath: store.folder + "/.tmp-step-00000002-123")
    #expect(try store.latestValid().checkpoint?.step == 1)
    #expect(try store.latestValid().skipped == [])
    _ = try ExampleRun.writer(folder.path)
    #expect(try names(store) == ["step-00000001"])
  }

  @Test func anInterruptedReplacementIsCompletedOrUndone() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1, 2], to: folder.path)
    // Killed between the two renames of step 2, and after both of step 1.
    try FileManager.default.moveItem(atPath: store.path(step: 2), toPath: store.folder + "/.old-step-00000002-123")
    try FileManager.default.copyItem(atPath: store.path(step: 1), toPath: store.folder + "/.old-step-00000001-123")
    _ = try ExampleRun.writer(folder.path)
    #expect(try names(store) == ["step-00000001", "step-00000002"])
    #expect(try store.latestValid().checkpoint?.contents == ExampleRun.contents(step: 2))
  }

  @Test func aFailureHalfWayLeavesWhatWasThere() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path, keepLast: 1)
    try writer.write(ExampleRun.contents(step: 1))
    // The state comes last, when all tensors are written.
    for step in [1, 2] {
      let error = #expect(throws: CheckpointError.self) {
        try writer.write(ExampleRun.contents(step: step, metric: .nan))
      }
      #expect(
        text(of: error)
          == "checkpoint \(writer.store.path(step: step)): its state cannot be written: metric is nan")
    }
    #expect(try names(writer.store) == ["step-00000001"])
    #expect(try writer.store.latestValid().checkpoint?.contents == ExampleRun.contents(step: 1))
  }

  @Test(arguments: ["model", "ema", "first", "second"])
  func whatIsNotFiniteIsNotWritten(part: String) throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path, keepLast: 1)
    try writer.write(ExampleRun.contents(step: 1))
    let layout = ExampleRun.layout()
    let vectors = (0..<4).map { ExampleRun.vector(layout, salt: $0) }
    vectors[["model", "ema", "first", "second"].firstIndex(of: part) ?? 0][layout.entries[1].range.lowerBound + 1] =
      .nan
    let contents = CheckpointContents(
      state: ExampleRun.state(step: 2), layout: layout, parameters: vectors[0], ema: vectors[1],
      moments: (first: vectors[2], second: vectors[3]))
    let error = #expect(throws: CheckpointError.self) { try writer.write(contents) }
    let tensor = ["first", "second"].contains(part) ? part + ".u_init.bias" : "u_init.bias"
    let file = tensor == "u_init.bias" ? part : "optimizer"
    #expect(
      text(of: error)
        == "checkpoint \(writer.store.path(step: 2)): not written: nan at element 1 of '\(tensor)' in \(file).safetensors; "
        + "the checkpoint before it was left alone: lower training.learning_rate, or set guard.policy to rollback, and go "
        + "on from there")
    #expect(try names(writer.store) == ["step-00000001"])
    #expect(try writer.store.latestValid().checkpoint?.contents == ExampleRun.contents(step: 1))
  }

  @Test func aRunFolderThatVanishedIsNotMadeAnew() throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    let writer = try ExampleRun.writer(run)
    try FileManager.default.removeItem(atPath: run)
    var error = #expect(throws: CheckpointError.self) { try writer.write(ExampleRun.contents(step: 1)) }
    let message =
      "run folder \(run) was removed or replaced while the run goes on; nothing more is written there: restore it, or "
      + "start again with another --run-dir"
    #expect(text(of: error) == message)
    #expect(!FileManager.default.fileExists(atPath: run))
    // Another run took its place.
    let other = try ExampleRun.writer(run)
    error = #expect(throws: CheckpointError.self) { try writer.write(ExampleRun.contents(step: 1)) }
    #expect(text(of: error) == message)
    try other.write(ExampleRun.contents(step: 1))
  }

  @Test func aFullDiskIsNamed() {
    let error = #expect(throws: FileFailure.self) { try DurableFile.write([Data(), Data([1, 2])], to: "/dev/full") }
    #expect(text(of: error) == "/dev/full: cannot write: No space left on device")
  }

  @Test func aFileInPlaceOfTheFolderIsNamed() throws {
    let folder = try TemporaryFolder()
    try Data().write(file: folder.path + "/checkpoints")
    let error = #expect(throws: CheckpointError.self) { try ExampleRun.writer(folder.path) }
    #expect(text(of: error) == "\(folder.path)/checkpoints: cannot create: File exists")
  }
}
