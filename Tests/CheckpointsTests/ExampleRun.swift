import Foundation
import Tensors

import Checkpoints

/// A folder that goes when the last reference to it goes.
final class TemporaryFolder {
  let path: String

  init() throws {
    path = FileManager.default.temporaryDirectory.path + "/checkpoints-test-\(UUID().uuidString)"
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  // Remains in the system's temporary folder are no reason to stop the tests.
  deinit { DurableFile.discard(path) }
}

/// A small model and the checkpoints of a run that trains it.
enum ExampleRun {
  static let configuration = "model:\n  filters: 2 # \"checksum\" : \"\nname: é\n"

  /// A convolution, its bias and a linear layer. `inputs` changes the shape of the convolution.
  static func layout(inputs: Int = 3, extra: [String] = []) -> ParameterLayout {
    var layout = ParameterLayout()
    _ = layout.append(name: "u_init.weight", shape: [2, inputs, 3, 3], storage: .panels)
    _ = layout.append(name: "u_init.bias", shape: [2])
    _ = layout.append(name: "nin_out.lin_a.weight_v", shape: [4, 2])
    for name in extra { _ = layout.append(name: name, shape: [1]) }
    return layout
  }

  /// A flat vector for `layout`, different for each `salt`, with values in the parameters' places only.
  static func vector(_ layout: ParameterLayout, salt: Int) -> FloatBuffer {
    var generator = KeyedGenerator(seed: 7, purpose: .initialization, step: salt)
    let buffer = FloatBuffer(count: layout.count)
    for entry in layout.entries {
      let count = entry.shape.reduce(1, *)
      layout.setFileValues((0..<count).map { _ in generator.uniform() }, of: entry, in: buffer)
    }
    return buffer
  }

  static func state(step: Int, metric: Double? = nil) -> CheckpointState {
    CheckpointState(
      step: step, epoch: step / 10, seed: .max, configuration: configuration, datasetHash: "0f3a", metric: metric,
      bestMetric: metric, imagesSeen: step * 16, elapsedSeconds: Double(step) * 0.1, counters: ["evaluations": 3])
  }

  static func contents(step: Int, metric: Double? = nil) -> CheckpointContents {
    let layout = layout()
    return CheckpointContents(
      state: state(step: step, metric: metric), layout: layout, parameters: vector(layout, salt: step),
      ema: vector(layout, salt: step + 1_000_000),
      moments: (first: vector(layout, salt: step + 2_000_000), second: vector(layout, salt: step + 3_000_000)))
  }

  static func writer(_ folder: String, keepLast: Int = 100, keepEvery: Int = 0) throws -> CheckpointWriter {
    try CheckpointWriter(
      lock: RunLock(runFolder: folder), retention: CheckpointRetention(keepLast: keepLast, keepEvery: keepEvery))
  }

  /// A run with valid checkpoints of `steps`, no longer locked.
  static func write(_ steps: [Int], to folder: String) throws -> CheckpointStore {
    let writer = try writer(folder)
    for step in steps { try writer.write(contents(step: step)) }
    return writer.store
  }
}

extension Data {
  init(file: String) throws { try self.init(contentsOf: URL(fileURLWithPath: file)) }

  func write(file: String) throws { try write(to: URL(fileURLWithPath: file)) }
}

func text<E: Error & CustomStringConvertible>(of error: E?) -> String { error?.description ?? "no error" }

extension ExampleRun {
  /// Makes the checkpoint in the folder at `path` one of the next format, otherwise valid.
  static func makeNewer(_ path: String) throws {
    let json = String(decoding: try Data(file: path + "/state.json"), as: UTF8.self)
    let newer = json.replacing("\"formatVersion\" : 1", with: "\"formatVersion\" : 2")
    try CheckpointRecord.sealed(Data(newer.utf8), path: path).write(file: path + "/state.json")
  }

  /// Flips a bit of the parameters in the checkpoint in the folder at `path`.
  static func damage(_ path: String) throws {
    var data = try Data(file: path + "/model.safetensors")
    data[data.count - 1] ^= 4
    try data.write(file: path + "/model.safetensors")
  }
}
