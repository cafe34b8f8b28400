import Foundation
import Tensors
import Testing

import Checkpoints

struct CheckpointTests {
  private let files = ["model.safetensors", "ema.safetensors", "optimizer.safetensors", "state.json"]

  @Test func whatIsWrittenIsRead() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([2000], to: folder.path + "/runs/a/")
    let checkpoint = try store.load(step: 2000)
    #expect(checkpoint.path == folder.path + "/runs/a/checkpoints/step-00002000")
    #expect(checkpoint.contents == ExampleRun.contents(step: 2000))
    #expect(checkpoint.contents != ExampleRun.contents(step: 2001))
    #expect(checkpoint.contents.state == ExampleRun.state(step: 2000))
    #expect(try FileManager.default.contentsOfDirectory(atPath: checkpoint.path).sorted() == files.sorted())
    #expect(try FileManager.default.contentsOfDirectory(atPath: store.folder) == ["step-00002000"])
  }

  @Test func vectorsComeBackTheSameBits() throws {
    let folder = try TemporaryFolder()
    let contents = try ExampleRun.write([5], to: folder.path).load(step: 5).contents
    let layout = ExampleRun.layout()
    let parameters = FloatBuffer(count: layout.count)
    let ema = FloatBuffer(count: layout.count)
    let first = FloatBuffer(count: layout.count)
    let second = FloatBuffer(count: layout.count)
    try contents.copyParameters(to: parameters, layout: layout)
    try contents.copyEMA(to: ema, layout: layout)
    try contents.copyMoments(first: first, second: second, layout: layout)
    #expect(parameters.values == ExampleRun.vector(layout, salt: 5).values)
    #expect(ema.values == ExampleRun.vector(layout, salt: 1_000_005).values)
    #expect(first.values == ExampleRun.vector(layout, salt: 2_000_005).values)
    #expect(second.values == ExampleRun.vector(layout, salt: 3_000_005).values)
  }

  @Test func filesHoldTheReferencesNamesAndOrder() throws {
    let contents = ExampleRun.contents(step: 1)
    #expect(contents.parameters.tensors.keys.sorted() == ["nin_out.lin_a.weight_v", "u_init.bias", "u_init.weight"])
    #expect(
      contents.optimizer?.tensors.keys.sorted() == [
        "first.nin_out.lin_a.weight_v", "first.u_init.bias", "first.u_init.weight", "second.nin_out.lin_a.weight_v",
        "second.u_init.bias", "second.u_init.weight",
      ])
    let layout = ExampleRun.layout()
    let weight = try #require(layout.entries.first)
    #expect(try contents.parameters.tensor("u_init.weight").shape == [2, 3, 3, 3])
    #expect(
      try contents.parameters.floats("u_init.weight")
        == layout.fileValues(of: weight, in: ExampleRun.vector(layout, salt: 1)))
  }

  @Test func absentPartsStayAbsent() throws {
    let folder = try TemporaryFolder()
    let layout = ExampleRun.layout()
    let buffer = ExampleRun.vector(layout, salt: 1)
    let contents = CheckpointContents(state: ExampleRun.state(step: 1), layout: layout, parameters: buffer)
    let writer = try ExampleRun.writer(folder.path)
    let path = try writer.write(contents).path
    let read = try Checkpoint(contentsOf: path).contents
    #expect(read == contents)
    var error = #expect(throws: CheckpointError.self) { try read.copyEMA(to: buffer, layout: layout) }
    #expect(text(of: error) == "checkpoint \(path)/model.safetensors: it was written without ema.safetensors")
    error = #expect(throws: CheckpointError.self) {
      try read.copyMoments(first: buffer, second: buffer, layout: layout)
    }
    #expect(text(of: error) == "checkpoint \(path)/model.safetensors: it was written without optimizer.safetensors")
  }

  @Test func anotherModelIsRefusedAndNothingIsCopied() throws {
    let folder = try TemporaryFolder()
    let checkpoint = try ExampleRun.write([1], to: folder.path).load(step: 1)
    let layout = ExampleRun.layout(inputs: 4, extra: ["u_init.scale"])
    let buffer = FloatBuffer(count: layout.count)
    var error = #expect(throws: CheckpointError.self) {
      try checkpoint.contents.copyParameters(to: buffer, layout: layout)
    }
    #expect(
      text(of: error) == "checkpoint \(checkpoint.path)/model.safetensors: "
        + "'u_init.weight' is [2, 3, 3, 3], this model needs [2, 4, 3, 3]; "
        + "'u_init.scale' is missing, this model needs [1]")
    #expect(buffer.values.allSatisfy { $0 == 0 })

    var smaller = ParameterLayout()
    _ = smaller.append(name: "u_init.bias", shape: [2])
    error = #expect(throws: CheckpointError.self) {
      try checkpoint.contents.copyMoments(
        first: FloatBuffer(count: 16), second: FloatBuffer(count: 16), layout: smaller)
    }
    #expect(
      text(of: error) == "checkpoint \(checkpoint.path)/optimizer.safetensors: "
        + "'first.nin_out.lin_a.weight_v' [4, 2] is not a parameter of this model; "
        + "'first.u_init.weight' [2, 3, 3, 3] is not a parameter of this model; "
        + "'second.nin_out.lin_a.weight_v' [4, 2] is not a parameter of this model; "
        + "'second.u_init.weight' [2, 3, 3, 3] is not a parameter of this model")

    let many = ExampleRun.layout(extra: (1...7).map { "extra\($0)" })
    error = #expect(throws: CheckpointError.self) {
      try checkpoint.contents.copyParameters(to: FloatBuffer(count: many.count), layout: many)
    }
    #expect(text(of: error).hasSuffix("'extra5' is missing, this model needs [1]; and 2 more"))
  }

  @Test func truncationIsFound() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    let seed: UInt64 = 11
    var generator = KeyedGenerator(seed: seed, purpose: .sampling)
    for round in 0..<50 {
      let name = files[round % files.count]
      let original = try Data(file: path + "/" + name)
      let length = generator.integer(below: original.count)
      try original.prefix(length).write(file: path + "/" + name)
      let error = #expect(throws: CheckpointError.self, "seed \(seed): \(name) cut to \(length) bytes") {
        try Checkpoint(contentsOf: path)
      }
      if name != "state.json" {
        #expect(
          text(of: error)
            == "checkpoint \(path) is damaged: \(name) has \(length) bytes, \(original.count) were written")
      }
      try original.write(file: path + "/" + name)
    }
    #expect(try Checkpoint(contentsOf: path).contents == ExampleRun.contents(step: 1))
  }

  @Test func flippedBitsAreFound() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    let seed: UInt64 = 12
    var generator = KeyedGenerator(seed: seed, purpose: .sampling)
    for round in 0..<400 {
      let name = files[round % files.count]
      let original = try Data(file: path + "/" + name)
      let place = generator.integer(below: original.count)
      var changed = original
      changed[place] ^= UInt8(1) << UInt8(generator.integer(below: 8))
      try changed.write(file: path + "/" + name)
      let error = #expect(throws: CheckpointError.self, "seed \(seed): a bit of byte \(place) of \(name)") {
        try Checkpoint(contentsOf: path)
      }
      try original.write(file: path + "/" + name)
      guard case .damaged = error else {
        Issue.record("seed \(seed): byte \(place) of \(name): \(text(of: error))")
        continue
      }
    }
    #expect(try Checkpoint(contentsOf: path).contents == ExampleRun.contents(step: 1))
  }

  @Test func changedBytesAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    let ema = path + "/ema.safetensors"
    let original = try Data(file: ema)
    var changed = original
    // The last tensor in the order of names.
    changed[changed.count - 1] ^= 1
    try changed.write(file: ema)
    var error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(
      text(of: error).hasPrefix(
        "checkpoint \(path) is damaged: 'u_init.weight' in ema.safetensors has checksum "))
    changed = original
    // A name in the metadata's text: still a valid file.
    let place = try #require(changed.range(of: Data("filters".utf8)))
    changed.replaceSubrange(place, with: Data("filterz".utf8))
    try changed.write(file: ema)
    error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(
      text(of: error).hasPrefix("checkpoint \(path) is damaged: the header of ema.safetensors has checksum "))
    try original.write(file: ema)

    let state = path + "/state.json"
    let json = String(decoding: try Data(file: state), as: UTF8.self)
    try Data(json.replacing("\"step\" : 1", with: "\"step\" : 2").utf8).write(file: state)
    error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(text(of: error).hasPrefix("checkpoint \(path) is damaged: state.json has checksum "))
    try Data("{}".utf8).write(file: state)
    error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(text(of: error) == "checkpoint \(path) is damaged: state.json: no checksum in 2 bytes")
  }

  @Test func missingFilesAreNamed() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    try FileManager.default.removeItem(atPath: path + "/optimizer.safetensors")
    var error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(text(of: error) == "checkpoint \(path) is damaged: optimizer.safetensors is missing")
    #expect(try Checkpoint(contentsOf: path, includingOptimizer: false).contents.optimizer == nil)
    try FileManager.default.removeItem(atPath: path + "/state.json")
    error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(
      text(of: error) == "\(path): not a checkpoint: it has no state.json; "
        + "name a run folder, one of its checkpoints/step-XXXXXXXX, or a .safetensors file")
    error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path + "x") }
    #expect(text(of: error) == "\(path)x/state.json: no such file or folder")
  }

  @Test func newerFormatsAreRefused() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1, 2], to: folder.path)
    let path = store.path(step: 2)
    try ExampleRun.makeNewer(path)
    let message =
      "checkpoint \(path): written in format 2, this program reads formats up to 1; "
      + "use a newer program or an older checkpoint"
    var error = #expect(throws: CheckpointError.self) { try Checkpoint(contentsOf: path) }
    #expect(text(of: error) == message)
    // Not passed over in silence: the newer program's work would be lost.
    error = #expect(throws: CheckpointError.self) { try store.latestValid() }
    #expect(text(of: error) == message)
  }

  @Test func aRenamedCheckpointIsFound() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([1], to: folder.path)
    try FileManager.default.moveItem(atPath: store.path(step: 1), toPath: store.path(step: 3))
    let error = #expect(throws: CheckpointError.self) { try store.load(step: 3) }
    #expect(
      text(of: error)
        == "checkpoint \(store.path(step: 3)) is damaged: state.json is of step 1, the folder of step 3")
    // Under a name that says no step it is as good as any.
    try FileManager.default.moveItem(atPath: store.path(step: 3), toPath: folder.path + "/favourite")
    #expect(try Checkpoint(contentsOf: folder.path + "/favourite").step == 1)
  }
}
