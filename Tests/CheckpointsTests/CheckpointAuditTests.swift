import Foundation
import Tensors
import Testing

import Checkpoints

struct CheckpointAuditTests {
  private func problems(_ path: String) throws -> [String] {
    try CheckpointAudit.audits(of: path).flatMap(\.problems).map(\.description)
  }

  @Test func soundCheckpointsOfARunAreListed() throws {
    let folder = try TemporaryFolder()
    let store = try ExampleRun.write([2, 10], to: folder.path)
    let audits = try CheckpointAudit.audits(of: folder.path)
    #expect(audits.map(\.path) == [store.path(step: 2), store.path(step: 10)])
    #expect(audits.map(\.step) == [2, 10] && audits.allSatisfy { $0.isSound && $0.formatVersion == 1 })
    // Three parameters, as they are, averaged, and in two moments; 54 + 2 + 8 floats.
    #expect(audits.map(\.tensors) == [12, 12] && audits.map(\.bytes) == [1024, 1024])
  }

  @Test func allThatIsDamagedIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    try ExampleRun.damage(path)
    var moments = try Data(file: path + "/optimizer.safetensors")
    for place in [1, 70] { moments[moments.count - 4 * place] ^= 1 }
    try moments.write(file: path + "/optimizer.safetensors")
    try FileManager.default.removeItem(atPath: path + "/ema.safetensors")
    let found = try problems(path)
    #expect(found.count == 4)
    #expect(found[0] == "checkpoint \(path) is damaged: ema.safetensors is missing")
    #expect(found[1].hasPrefix("checkpoint \(path) is damaged: 'u_init.weight' in model.safetensors has checksum "))
    #expect(found[2].hasPrefix("checkpoint \(path) is damaged: 'first.u_init.weight' in optimizer.safetensors has "))
    #expect(found[3].hasPrefix("checkpoint \(path) is damaged: 'second.u_init.weight' in optimizer.safetensors has "))
  }

  @Test func aTruncatedFileIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    let data = try Data(file: path + "/model.safetensors")
    try data.dropLast(10).write(file: path + "/model.safetensors")
    #expect(
      try problems(path) == [
        "checkpoint \(path) is damaged: model.safetensors has \(data.count - 10) bytes, \(data.count) were written",
        "checkpoint \(path) is damaged: \(path)/model.safetensors: truncated, \(data.count - 10) bytes where the header "
          + "announces \(data.count)",
      ])
  }

  @Test func aNewerFormatIsNamed() throws {
    let folder = try TemporaryFolder()
    let path = try ExampleRun.write([1], to: folder.path).path(step: 1)
    try ExampleRun.makeNewer(path)
    #expect(
      try problems(folder.path) == [
        "checkpoint \(path): written in format 2, this program reads formats up to 1; use a newer program or an older "
          + "checkpoint"
      ])
  }

  @Test func valuesThatAreNotFiniteAreNamed() throws {
    let folder = try TemporaryFolder()
    var file = SafetensorsFile()
    file.add("a", shape: [2], floats: [1, 2])
    file.add("b", shape: [3], floats: [1, -.infinity, .nan])
    let path = folder.path + "/some.safetensors"
    try file.write(to: path)
    #expect(try problems(path) == ["\(path): -inf at element 1 of 'b'"])
  }

  @Test func anEmptyRunHasNothingToVerify() throws {
    let folder = try TemporaryFolder()
    _ = try ExampleRun.writer(folder.path)
    let error = #expect(throws: CheckpointError.self) { try CheckpointAudit.audits(of: folder.path) }
    #expect(text(of: error) == "\(folder.path): no checkpoint: \(folder.path)/checkpoints is empty")
  }

  @Test func differencesAreMeasured() {
    func file(_ tensors: [String: [Float]]) -> SafetensorsFile {
      var file = SafetensorsFile()
      for (name, values) in tensors { file.add(name, shape: [values.count], floats: values) }
      return file
    }
    let left = file(["same": [1, .nan], "near": [1, 0, 5, 2], "shape": [1], "left": [0]])
    let right = file(["same": [1, .nan], "near": [Float(1).nextUp, -0.0, 5, 2.5], "shape": [1, 2], "right": [0]])
    let found = TensorDifference.differences(of: "model", left, right)
    #expect(found.map(\.tensor) == ["left", "near", "right", "shape"])
    #expect(found.map(\.kind) == ["only in the first", nil, "only in the second", "[1] F32 and [2] F32"])
    #expect(found[1].elements == 3 && found[1].count == 4 && found[1].largestDifference == 0.5)
    #expect(found[1].largestUlps == 1 << 21)
    #expect(TensorDifference.differences(of: "model", left, left).isEmpty)
    // Two floats on either side of zero are neighbours.
    let crossing = TensorDifference.differences(
      of: "model", file(["x": [0]]), file(["x": [-Float.leastNonzeroMagnitude]]))
    #expect(crossing.map(\.largestUlps) == [2])
  }
}
