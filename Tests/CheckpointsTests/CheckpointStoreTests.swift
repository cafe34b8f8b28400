import Foundation
import Testing

import Checkpoints

struct CheckpointStoreTests {
  @Test func aRunWithoutCheckpointsIsEmpty() throws {
    let folder = try TemporaryFolder()
    let store = CheckpointStore(runFolder: folder.path)
    #expect(try store.list() == [])
    #expect(try store.latestValid().checkpoint == nil)
    #expect(try store.best().checkpoint == nil)
  }

  @Test func onlyCheckpointsAreListed() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([30, 4, 123_456_789], to: folder.path)
    for name in [
      "step-00000005", "step-6", "step-+0000007", ".tmp-step-00000008-1", "notes", "step-00000004.set-aside-1",
    ] {
      try FileManager.default.createDirectory(atPath: store.folder + "/" + name, withIntermediateDirectories: false)
    }
    try Data().write(file: store.folder + "/step-00000009")
    #expect(try store.list() == [4, 30, 123_456_789])
  }

  @Test func theNewestValidIsFoundAndDamagedOnesAreNamed() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1, 2, 3, 4], to: folder.path)
    try ExampleRun.damage(store.path(step: 4))
    try FileManager.default.removeItem(atPath: store.path(step: 3) + "/state.json")
    let selection = try store.latestValid()
    #expect(selection.checkpoint?.contents == ExampleRun.contents(step: 2))
    #expect(selection.skipped.map(\.path) == [store.path(step: 4), store.path(step: 3)])
    #expect(
      selection.skipped[0].description.hasPrefix(
        "passed over: checkpoint \(store.path(step: 4)) is damaged: "
          + "'u_init.weight' in model.safetensors has checksum "))
    #expect(selection.skipped[1].reason == .notACheckpoint(path: store.path(step: 3)))

    for step in [1, 2] { try ExampleRun.damage(store.path(step: step)) }
    let none = try store.latestValid()
    #expect(none.checkpoint == nil)
    #expect(none.skipped.count == 4)
  }

  @Test func theBestHasTheLowestMetricAndIsValid() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    for (step, metric) in [(1, 3.5), (2, 1.5), (3, nil), (4, 1.25), (5, 1.5)] as [(Int, Double?)] {
      try writer.write(ExampleRun.contents(step: step, metric: metric))
    }
    #expect(try writer.store.best().checkpoint?.step == 4)
    try ExampleRun.damage(writer.store.path(step: 4))
    let selection = try writer.store.best()
    #expect(selection.checkpoint?.step == 2)
    #expect(selection.skipped.map(\.path) == [writer.store.path(step: 4)])
  }

  @Test func modelsOpenFromRunsCheckpointsAndFiles() throws {
    let folder = try TemporaryFolder()
    let writer = try ExampleRun.writer(folder.path)
    try writer.write(ExampleRun.contents(step: 1, metric: 1))
    try writer.write(ExampleRun.contents(step: 2, metric: 2))
    try writer.write(ExampleRun.contents(step: 3, metric: 3))
    let store = writer.store
    try ExampleRun.damage(store.path(step: 3))

    let newest = try OpenedModel.open(path: folder.path)
    #expect(newest.path == store.path(step: 2))
    #expect(newest.skipped.map(\.path) == [store.path(step: 3)])
    #expect(newest.parameters.tensors == ExampleRun.contents(step: 2).parameters.tensors)
    #expect(newest.ema?.tensors == ExampleRun.contents(step: 2).ema?.tensors)

    let best = try OpenedModel.open(path: folder.path + "/", choice: .best)
    #expect(best.path == store.path(step: 1))

    let checkpoint = try OpenedModel.open(path: store.path(step: 2) + "/")
    #expect(checkpoint.state == ExampleRun.state(step: 2, metric: 2))

    let file = try OpenedModel.open(path: store.path(step: 1) + "/model.safetensors")
    #expect(file.state == nil)
    #expect(file.ema == nil)
    #expect(file.configuration == ExampleRun.configuration)
    #expect(file.parameters.tensors == ExampleRun.contents(step: 1).parameters.tensors)
  }

  @Test func whatCannotBeOpenedIsNamed() throws {
    let folder = try TemporaryFolder()
    let run = folder.path + "/run"
    var error = #expect(throws: CheckpointError.self) { try OpenedModel.open(path: run) }
    #expect(text(of: error) == "\(run): no such file or folder")
    error = #expect(throws: CheckpointError.self) { try OpenedModel.open(path: folder.path) }
    #expect(text(of: error).hasPrefix("\(folder.path): not a checkpoint: it has no state.json; "))
    let store = try ExampleRun.write([], to: run)
    error = #expect(throws: CheckpointError.self) { try OpenedModel.open(path: run) }
    #expect(text(of: error) == "\(run): no checkpoint: \(store.folder) is empty")
    _ = try ExampleRun.write([1], to: run)
    error = #expect(throws: CheckpointError.self) { try OpenedModel.open(path: run, choice: .best) }
    #expect(text(of: error) == "\(run): no checkpoint: none in \(store.folder) was evaluated")
    try Data([1, 2, 3]).write(file: store.path(step: 1) + "/model.safetensors")
    error = #expect(throws: CheckpointError.self) { try OpenedModel.open(path: run) }
    #expect(
      text(of: error).hasPrefix(
        "\(run): no checkpoint: checkpoint \(store.path(step: 1)) is damaged: model.safetensors has 3 bytes, "))
  }
}
